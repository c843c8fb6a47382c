import { expect } from 'chai';
import { processGroups } from '../../../infra/processes/process-groups.ts';
import { ROLES } from '../../../schemas/roles.ts';

describe('process groups', () => {
  it('put background roles into one process, ahead of those that answer callers', () => {
    expect(processGroups(ROLES, 3)).to.deep.equal([
      { roles: ROLES.filter((role) => role !== 'relay' && role !== 'console'), processes: 1 },
      { roles: ['relay', 'console'], processes: 3 },
    ]);
  });

  it('have no process for what was not asked for', () => {
    expect(processGroups(['relay'], 2)).to.deep.equal([{ roles: ['relay'], processes: 2 }]);
    expect(processGroups(['projector', 'sweeper'], 4)).to.deep.equal([{ roles: ['projector', 'sweeper'], processes: 1 }]);
  });
});
