const V4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}(\/(3[0-2]|[12]?\d))?$/;

/** Whether text is an IP address or a range. A shape check only, to catch slips; the server decides. */
export const looksLikeAddress = (text: string): boolean => V4.test(text) || (/^[\da-f:.]+(\/\d{1,3})?$/i.test(text) && text.includes(':'));
