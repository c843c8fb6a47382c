import { expect } from 'chai';
import { toLeader } from '../../../infra/event-log/eventstoredb/connection.ts';

describe('the connection string of an event store', () => {
  it('is turned to the leader where there are several nodes, and left alone otherwise', () => {
    expect(toLeader('esdb://a:2113')).to.equal('esdb://a:2113');
    expect(toLeader('esdb://a:2113?tls=false')).to.equal('esdb://a:2113?tls=false');
    expect(toLeader('esdb://u:p@a:1,b:2')).to.equal('esdb://u:p@a:1,b:2?nodePreference=leader');
    expect(toLeader('esdb+discover://c?nodePreference=follower&tls=true')).to.equal('esdb+discover://c?tls=true&nodePreference=leader');
    expect(toLeader('esdb://a,b?tls=true&NodePreference=random')).to.equal('esdb://a,b?tls=true&nodePreference=leader');
    expect(toLeader('esdb://a:1?nodePreference=follower&tlsCAFile=x%2Cy')).to.equal('esdb://a:1?tlsCAFile=x%2Cy');
  });
});
