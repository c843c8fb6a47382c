import { openKafka } from '../../../infra/kafka/open-kafka.ts';
import { KafkaRecords } from '../../../infra/kafka/records.ts';
import { recordsConformance } from '../../conformance/records.ts';
import { testKafka } from '../../support/kafka/kafka.ts';
import { silentLog } from '../../support/kafka/silent-log.ts';

recordsConformance('Kafka', async () => {
  const { brokers, prefix } = await testKafka();
  const kafka = openKafka({ KAFKA_BROKERS: brokers, KAFKA_SSL: false }, silentLog);
  const records = new KafkaRecords({ kafka, programLog: silentLog });
  const admin = kafka.admin();
  await admin.connect();
  return {
    records,
    prefix,
    forget: async (topic, partition, before) => {
      // Without this look at the topic the client does not find its leader.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] });
    },
    close: async () => {
      await admin.disconnect();
      await records.close();
    },
  };
});
