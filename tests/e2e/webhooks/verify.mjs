// Verifies recorded messages with the library of Standard Webhooks: verify.mjs SECRET FILE.

import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.argv[2]);
const messages = JSON.parse(readFileSync(process.argv[3], "utf8"));
for (const { body, headers } of messages) {
  webhook.verify(body, headers);
  for (const tampered of [body.replace("stockade", "stockode"), `${body} `]) {
    let refused = false;
    try {
      webhook.verify(tampered, headers);
    } catch {
      refused = true;
    }
    if (!refused) throw new Error("a message that was changed is verified all the same");
  }
}
console.log(messages.length, "verified");
