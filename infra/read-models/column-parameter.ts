import { keepableText } from './keepable-text.ts';
import type { ColumnType, ColumnValue, ColumnValues } from '../../projections/engine/columns.ts';

/** Object ids of element types, and how many bytes an element has; text has as many as it needs. */
const ELEMENTS: Readonly<Record<ColumnType, { readonly oid: number; readonly bytes: number }>> = {
  bool: { oid: 16, bytes: 1 },
  int2: { oid: 21, bytes: 2 },
  int4: { oid: 23, bytes: 4 },
  int8: { oid: 20, bytes: 8 },
  text: { oid: 25, bytes: 0 },
  timestamptz: { oid: 1184, bytes: 8 },
};

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
/** Longest UTF-8 form of one UTF-16 unit. */
const MAX_BYTES_PER_UNIT = 3;
/** 2000-01-01, from which PostgreSQL counts, in milliseconds since the Unix epoch. */
const EPOCH_MS = 946_684_800_000;

/** A value that its column cannot hold. */
export class UnfitValue extends TypeError {
  constructor(type: ColumnType, value: ColumnValue) {
    super(`${String(value)} does not fit into a column of ${type}`);
    this.name = 'UnfitValue';
  }
}

const unfit = (type: ColumnType, value: ColumnValue): UnfitValue => new UnfitValue(type, value);

const wholeNumber = (type: ColumnType, value: ColumnValue, limit: number): number => {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < -limit || value >= limit) throw unfit(type, value);
  return value;
};

const INT8_LIMIT = 2n ** 63n;
const HALF = 2 ** 32;

/** The number must be a safe integer: then this makes no bigint of it on the way. */
const writeWhole = (view: DataView, at: number, value: number): void => {
  const high = Math.floor(value / HALF);
  view.setInt32(at, high);
  view.setUint32(at + 4, value - high * HALF);
};

const writeInt8 = (view: DataView, at: number, value: ColumnValue): void => {
  if (typeof value === 'bigint' && value >= -INT8_LIMIT && value < INT8_LIMIT) view.setBigInt64(at, value);
  else if (Number.isSafeInteger(value)) writeWhole(view, at, value as number);
  else throw unfit('int8', value);
};

/** Neighbours often have the same time: what one commit of the log recorded. */
const microsecondsOf = (): ((value: ColumnValue) => number | bigint) => {
  let lastText = '';
  let last: number | bigint = 0;
  return (value) => {
    if (value === lastText) return last;
    const moment = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    const micros = (moment - EPOCH_MS) * 1_000;
    if (Number.isNaN(micros)) throw unfit('timestamptz', value);
    lastText = value as string;
    // They outgrow a number in the year 2285.
    last = Number.isSafeInteger(micros) ? micros : BigInt(moment - EPOCH_MS) * 1_000n;
    return last;
  };
};

type WriteElement = (view: DataView, at: number, value: ColumnValue) => void;

const elementWriter = (type: Exclude<ColumnType, 'text' | 'int8'>): WriteElement => {
  switch (type) {
    case 'bool':
      return (view, at, value) => {
        if (typeof value !== 'boolean') throw unfit(type, value);
        view.setUint8(at, value ? 1 : 0);
      };
    case 'int2':
      return (view, at, value) => view.setInt16(at, wholeNumber(type, value, 2 ** 15));
    case 'int4':
      return (view, at, value) => view.setInt32(at, wholeNumber(type, value, 2 ** 31));
    case 'timestamptz': {
      const micros = microsecondsOf();
      return (view, at, value) => writeInt8(view, at, micros(value));
    }
  }
};

const writeNull = (view: DataView, at: number): number => {
  view.setInt32(at, NULL_LENGTH);
  return at + LENGTH_BYTES;
};

const writeTexts = (buffer: Buffer, view: DataView, from: number, values: readonly ColumnValue[]): number => {
  let at = from;
  for (const value of values) {
    if (typeof value === 'string') {
      const written = buffer.write(keepableText(value), at + LENGTH_BYTES);
      view.setInt32(at, written);
      at += LENGTH_BYTES + written;
    } else if (value === null || value === undefined) at = writeNull(view, at);
    else throw unfit('text', value);
  }
  return at;
};

/** A loop of its own for what a third of all columns are. */
const writeInt8s = (view: DataView, from: number, values: readonly ColumnValue[]): number => {
  let at = from;
  for (const value of values) {
    if (value === null || value === undefined) at = writeNull(view, at);
    else {
      view.setInt32(at, ELEMENTS.int8.bytes);
      writeInt8(view, at + LENGTH_BYTES, value);
      at += LENGTH_BYTES + ELEMENTS.int8.bytes;
    }
  }
  return at;
};

const writeOthers = (view: DataView, from: number, type: Exclude<ColumnType, 'text' | 'int8'>, values: readonly ColumnValue[]): number => {
  const { bytes } = ELEMENTS[type];
  const write = elementWriter(type);
  let at = from;
  for (const value of values) {
    if (value === null || value === undefined) at = writeNull(view, at);
    else {
      view.setInt32(at, bytes);
      write(view, at + LENGTH_BYTES, value);
      at += LENGTH_BYTES + bytes;
    }
  }
  return at;
};

/** No fewer bytes than {@link writeColumn} writes. */
export const mostColumnBytes = ({ type, values }: ColumnValues): number => {
  let size = HEADER_BYTES + (LENGTH_BYTES + ELEMENTS[type].bytes) * values.length;
  if (type === 'text') for (const value of values) if (typeof value === 'string') size += value.length * MAX_BYTES_PER_UNIT;
  return size;
};

/**
 * Writes PostgreSQL's binary form of a one-dimensional array: dimensions, null flag, element type, length, lower bound, then each element with its
 * size before it. Answers where it ends. Throws at a value that no column of the type can hold.
 */
export const writeColumn = (buffer: Buffer, from: number, { type, values }: ColumnValues): number => {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  view.setInt32(from, 1);
  view.setInt32(from + 4, 1);
  view.setInt32(from + 8, ELEMENTS[type].oid);
  view.setInt32(from + 12, values.length);
  view.setInt32(from + 16, 1);
  const at = from + HEADER_BYTES;
  if (type === 'text') return writeTexts(buffer, view, at, values);
  return type === 'int8' ? writeInt8s(view, at, values) : writeOthers(view, at, type, values);
};
