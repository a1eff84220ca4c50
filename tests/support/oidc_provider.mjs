// A real OpenID provider on the loopback, with two people and a machine; prints its issuer when it listens.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, back] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));

const PEOPLE = {
  alice: { groups: ['artists', 'nightfall-leads'], email: 'alice@studio.example', email_verified: true },
  mallory: { groups: [], email: 'alice@studio.example', email_verified: false },
};
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const shared = { redirect_uris: [back], response_types: ['code'] };
  const provider = new Provider(issuer, {
    clients: [
      { ...shared, client_id: 'public', token_endpoint_auth_method: 'none', application_type: 'native', grant_types: ['authorization_code'] },
      { ...shared, client_id: 'rakkan', client_secret: 's3cret: with/odd+characters', grant_types: ['authorization_code'], application_type: 'native' },
      { client_id: 'robot', client_secret: 'robot-secret', redirect_uris: [], response_types: [], grant_types: ['client_credentials'] },
    ],
    claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: [] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...PEOPLE[id] }) }),
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'read', accessTokenFormat: 'jwt', audience: 'https://log.studio' }),
      },
    },
    cookies: { keys: ['for', 'tests'] },
    pkce: { required: () => true },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
