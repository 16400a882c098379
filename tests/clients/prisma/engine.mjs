// The query engine of Prisma 5.17 as a program: its WebAssembly build behind the HTTP that Prisma Client Python
// speaks to the native one, which comes from a host of its own and not from a package registry.
//
// The client writes GraphQL, this build reads Prisma's JSON protocol: queries are carried over, nothing else is done.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { PrismaPg } from "@prisma/adapter-pg";
import { bindAdapter } from "@prisma/driver-adapter-utils";
import { parse } from "graphql";
import pg from "pg";

const require = createRequire(import.meta.url);
const COMMIT = "393aa359c9ad4a4bb28630fb5613f9c281cde053";
const ACTIONS =
  /^(findUniqueOrThrow|findUnique|findFirstOrThrow|findFirst|findMany|createOne|createMany|updateOne|updateMany|deleteOne|deleteMany|upsertOne|aggregate|groupBy)(\w+?)(OrThrow)?$/;

async function engineClass() {
  const folder = join(dirname(require.resolve("@prisma/query-engine-wasm/package.json")), "postgresql");
  const glue = await import(pathToFileURL(join(folder, "query_engine_bg.js")));
  const bytes = await readFile(join(folder, "query_engine_bg.wasm"));
  const { instance } = await WebAssembly.instantiate(bytes, { "./query_engine_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  return glue.QueryEngine;
}

// -- GraphQL to the JSON protocol ------------------------------------------------------

function value(node) {
  switch (node.kind) {
    case "ObjectValue":
      return Object.fromEntries(node.fields.map((field) => [field.name.value, value(field.value)]));
    case "ListValue":
      return node.values.map(value);
    case "IntValue":
      return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : { $type: "BigInt", value: node.value };
    case "FloatValue":
      return Number(node.value);
    case "NullValue":
      return null;
    default:
      return node.value;
  }
}

// A field of type Json holds a text in GraphQL and says so in the JSON protocol.
function typed(model, found) {
  if (Array.isArray(found)) return found.map((one) => typed(model, one));
  if (found === null || typeof found !== "object") return found;
  const json = (name, one) => {
    if (typeof one === "string" && jsonFields.has(`${model}.${name}`)) return { $type: "Json", value: one };
    return typed(model, one);
  };
  return Object.fromEntries(Object.entries(found).map(([name, one]) => [name, json(name, one)]));
}

const named = (nodes) => Object.fromEntries((nodes ?? []).map((one) => [one.name.value, value(one.value)]));

function selection(set) {
  if (!set) return undefined;
  const pick = (field) => {
    if (!field.selectionSet) return true;
    return { arguments: named(field.arguments), selection: selection(field.selectionSet) };
  };
  return Object.fromEntries(set.selections.map((field) => [field.name.value, pick(field)]));
}

function carried({ query }) {
  const [field] = parse(query).definitions[0].selectionSet.selections;
  const name = field.name.value;
  const how = { arguments: named(field.arguments), selection: selection(field.selectionSet) ?? {} };
  if (name === "queryRaw" || name === "executeRaw") return { action: name, query: how };
  const [, action, modelName, orThrow] = ACTIONS.exec(name);
  for (const given of ["data", "create", "update"]) {
    if (given in how.arguments) how.arguments[given] = typed(modelName, how.arguments[given]);
  }
  return { modelName, action: action + (orThrow ?? ""), query: how };
}

// -- and back: values without their types, under the name that the client asked for ------

function plain(found) {
  if (Array.isArray(found)) return found.map(plain);
  if (found === null || typeof found !== "object") return found;
  if ("$type" in found) return found.value;
  return Object.fromEntries(Object.entries(found).map(([name, one]) => [name, plain(one)]));
}

const result = (answer) =>
  answer.errors?.length ? answer : { data: { result: plain(Object.values(answer.data ?? {})[0] ?? null) } };

// -- the program -----------------------------------------------------------------------

const told = process.argv.slice(2);
if (told.includes("--version")) {
  console.log(`query-engine ${COMMIT}`);
  process.exit(0);
}
const QueryEngine = await engineClass();
const datamodel = await readFile(process.env.PRISMA_DML_PATH, "utf8");
const jsonFields = new Set(
  [...datamodel.matchAll(/^model (\w+) \{([\s\S]*?)^\}/gm)].flatMap(([, model, fields]) =>
    [...fields.matchAll(/^\s*(\w+)\s+Json\b/gm)].map(([, name]) => `${model}.${name}`),
  ),
);
const overwritten = JSON.parse(process.env.OVERWRITE_DATASOURCES ?? "[]")[0]?.url;
const pool = new pg.Pool({ connectionString: overwritten ?? process.env.DATABASE_URL, max: 10 });
const engine = new QueryEngine(
  { datamodel, logLevel: "error", logQueries: false },
  () => undefined,
  bindAdapter(new PrismaPg(pool)),
);
await engine.connect("{}");

async function answered(request, body) {
  const within = request.headers["x-transaction-id"];
  const [, first, id, act] = request.url.split("/");
  if (request.url === "/status") return { status: "ok" };
  if (first === "transaction") {
    if (id === "start") return JSON.parse(await engine.startTransaction(body, "{}"));
    return JSON.parse(await engine[act === "commit" ? "commitTransaction" : "rollbackTransaction"](id, "{}"));
  }
  const asked = JSON.parse(body);
  if (asked.batch) {
    const batch = { batch: asked.batch.map(carried), transaction: asked.transaction ? {} : undefined };
    const answer = JSON.parse(await engine.query(JSON.stringify(batch), "{}", within));
    return answer.batchResult ? { batchResult: answer.batchResult.map(result) } : answer;
  }
  return result(JSON.parse(await engine.query(JSON.stringify(carried(asked)), "{}", within)));
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  let status = 200;
  let answer;
  try {
    answer = await answered(request, body);
  } catch (problem) {
    status = 500;
    answer = { error: String(problem?.stack ?? problem) };
    console.error(answer.error);
  }
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
});
server.listen(Number(told[told.indexOf("-p") + 1]), "localhost");
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
