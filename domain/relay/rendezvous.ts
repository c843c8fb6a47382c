/** A number in (0, 1) that is the same for the same two texts, and has nothing to do with that of any other two. */
const placeOf = (key: string, member: string): number => {
  // FNV-1a over both, and murmur3's last step: FNV alone leaves texts that differ at their end close together.
  let hash = 0x811c9dc5;
  for (const text of [key, '\n', member]) for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 0x1_0000_0000;
};

/**
 * The member that a key belongs to, by weighted rendezvous hashing: the same on every process without their having to agree, in proportion to
 * the weights over many keys, and another one only for the keys of a member that is gone. A weight of zero counts only among zeros.
 */
export const belongsTo = <M>(
  members: readonly M[],
  key: string,
  nameOf: (member: M) => string,
  weightOf: (member: M) => number,
): M | null => {
  let best: M | null = null;
  let most = -Infinity;
  const weighed = members.some((member) => weightOf(member) > 0);
  for (const member of members) {
    const weight = weighed ? weightOf(member) : 1;
    if (weight <= 0) continue;
    const score = -weight / Math.log(placeOf(key, nameOf(member)));
    if (score > most) {
      most = score;
      best = member;
    }
  }
  return best;
};
