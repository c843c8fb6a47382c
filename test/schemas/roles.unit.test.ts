import { expect } from 'chai';
import { ROLES, rolesSchema } from '../../schemas/roles.ts';

describe('roles', () => {
  it('are all of them, or those that are named, in one order and once', () => {
    expect(rolesSchema.parse('all')).to.deep.equal(ROLES);
    expect(rolesSchema.parse('sweeper, relay,relay')).to.deep.equal(['relay', 'sweeper']);
    expect(rolesSchema.parse('relay,all')).to.deep.equal(ROLES);
  });

  it('are refused by the name that there is not', () => {
    const { error } = rolesSchema.safeParse('relay,chef');
    expect(error?.issues.map(({ message }) => message).join())
      .to.contain('not “chef”')
      .and.to.contain('projector');
    expect(rolesSchema.safeParse('').success).to.equal(false);
  });
});
