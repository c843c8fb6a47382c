/** Excel reads UTF-8, Chinese names included, only behind a byte order mark. */
const BYTE_ORDER_MARK = '\uFEFF';

/** A leading `=`, `+`, `-`, `@` would be run as a formula by a spreadsheet; figures may keep their sign. */
const defuse = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell);

const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** RFC 4180, for tables that the page already holds; long exports are written by the server. */
export const toCsv = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  BYTE_ORDER_MARK + [head, ...rows].map((row) => row.map((cell) => quote(defuse(cell))).join(',')).join('\r\n') + '\r\n';
