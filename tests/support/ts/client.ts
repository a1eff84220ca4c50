// A small program of somebody else's: it verifies a file, lists assets, reads a verdict, and is refused.
// It is given one JSON document, and prints one.

import createClient from "openapi-fetch";
import type { components, paths } from "./rakkan.js";

declare const process: { argv: string[]; exitCode: number };

type Problem = components["schemas"]["Problem"];

interface Given {
  url: string;
  production: string;
  token: string;
  file: string;
  digest: string;
}

const given = JSON.parse(process.argv[2] ?? "") as Given;
const client = createClient<paths>({ baseUrl: given.url });
const known = createClient<paths>({
  baseUrl: given.url,
  headers: { Authorization: `Bearer ${given.token}` },
});
const path = { production: given.production };
const file = new Blob([Uint8Array.from(atob(given.file), (letter) => letter.charCodeAt(0))]);
const form = new FormData();
form.set("file", file, "frame.png");

function answered<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data === undefined) throw new Error(answer.error?.code ?? "no answer");
  return answer.data;
}

const report = answered(
  await client.POST("/v1/verify", {
    body: { file },
    bodySerializer: () => form,
  }),
);

const names: string[] = [];
for (let after: string | null = null; ; ) {
  const query: { limit: number; after?: string } = { limit: 2, ...(after === null ? {} : { after }) };
  const page = answered(await known.GET("/v1/productions/{production}/assets", { params: { path, query } }));
  names.push(...page.assets.map((asset) => asset.name));
  after = page.next;
  if (after === null) break;
}

const asked = { params: { path: { ...path, digest: given.digest } } };
const verdicts = answered(await known.GET("/v1/productions/{production}/verdicts/{digest}", asked));
const newest = verdicts.verdicts[0];

const refused = await client.GET("/v1/productions/{production}/verdicts/{digest}", asked);

console.log(
  JSON.stringify({
    outcome: report.outcome,
    failed: report.checks.filter((check) => check.status === "failed").map((check) => check.check),
    names,
    verdict: newest?.now,
    current: newest?.current,
    refused: [refused.response.status, refused.error?.code],
  }),
);
