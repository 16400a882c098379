// A real OpenID provider for the tests of sign-in: loopback, a free port, people that exist for one run.
//
// It prints its address as one line. Each line on standard input is a JSON object that changes it while it runs:
//   {"clients": [...]}   who may send people here (metadata of RFC 7591)
//   {"people": {...}}    claims by login, as {"ada": {"email": "ada@provider.example", "email_verified": true}}
//   {"rotate": true}     sign with a new key; the old one is gone
// and is answered with one line, `done`. It ends when standard input ends, so nothing of it outlives a test.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import Provider from "oidc-provider";

const state = { clients: [], people: {}, keys: [newKey()], cookie: randomBytes(16).toString("hex") };

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: randomBytes(6).toString("hex") };
}

function newProvider() {
  const provider = new Provider(issuer, {
    clients: state.clients,
    jwks: { keys: state.keys },
    cookies: { keys: [state.cookie] },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    // the ID token says it all, as with most providers
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: async (_ctx, login) => ({
      accountId: login,
      claims: async () => ({ sub: login, ...(state.people[login] ?? {}) }),
    }),
  });
  return provider.callback();
}

const server = createServer((request, response) => answer(request, response));
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
// it says what each setting means for a real deployment; this is none
console.info = console.warn = () => {};
let answer = newProvider();
console.log(issuer);

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { rotate, ...change } = JSON.parse(line);
  Object.assign(state, change);
  if (rotate) state.keys = [newKey()];
  answer = newProvider();
  console.log("done");
});
lines.on("close", () => process.exit(0));
