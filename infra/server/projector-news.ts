import type { ProjectorReport } from '../../projections/engine/projector-report.ts';
import type { ProgramLog } from '../logging/logger.ts';

/** What the projector reports, as log lines: progress of a long catch-up included, for a start that takes a while should say why. */
export const tellOfProjector =
  (programLog: ProgramLog) =>
  (report: ProjectorReport): void => {
    switch (report.kind) {
      case 'state':
        return programLog.debug('projector', { state: report.state });
      case 'interrupted':
        return programLog.warn('the projector was interrupted and tries again', { fenced: report.fenced, error: report.error });
      case 'parked':
        return programLog.error('an event could not be projected and is parked', { error: report.poison });
      case 'reset':
        return programLog.warn('the read models do not belong to this log and are made again', { reason: report.reason });
      case 'handed_over':
        return programLog.info('read models follow Kafka from here on', { projections: report.projections });
      case 'taken_back':
        return programLog.warn('read models follow the log again', { projections: report.projections });
      case 'progress':
        return programLog.info('read models are catching up', {
          projections: report.projections,
          position: report.position,
          head: report.head,
        });
    }
  };
