import { expect } from 'chai';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { partitionOf } from '../../../projections/engine/stream-partition.ts';

describe('the partition of a stream', () => {
  it('is the one that the client of Kafka chooses', () => {
    const choose = Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }), fc.integer({ min: 1, max: 100 }), (stream, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
          partitionErrorCode: 0,
          partitionId,
          leader: 0,
          replicas: [],
          isr: [],
        }));
        expect(partitionOf(stream, partitions)).to.equal(
          choose({ topic: 'events', partitionMetadata, message: { key: stream, value: null } }),
        );
      }),
    );
  });
});
