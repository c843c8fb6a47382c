/** Puts a member into a body where there is something to say. A spread for each that may be missing takes V8 several times as long. */
export const addMember = (body: Record<string, unknown>, name: string, value: unknown): void => {
  if (value !== null && value !== undefined) body[name] = value;
};
