"""Verifies recorded messages with the library of Standard Webhooks: verify.py SECRET FILE."""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook(sys.argv[1])
messages = json.load(open(sys.argv[2]))
for message in messages:
    webhook.verify(message["body"], message["headers"])
    for tampered in (message["body"].replace("stockade", "stockode"), message["body"] + " "):
        try:
            webhook.verify(tampered, message["headers"])
        except WebhookVerificationError:
            continue
        sys.exit("a message that was changed is verified all the same")
print(len(messages), "verified")
