"""Names what cargo has built: reads its messages and prints `NAME PATH` per binary asked for.

    cargo … --no-run --message-format=json-render-diagnostics | built.py KIND NAME…

KIND is cargo's: `test` or `bench`. Tests are named by their crate, `CRATE-tests`; benches by their own
name. Exits with 1 where a name was not built, so that a failed build ends the script that asked.
"""

import json
import sys

kind, wanted = sys.argv[1], set(sys.argv[2:])
missing = set(wanted)
for line in sys.stdin:
    message = json.loads(line)
    target = message.get("target", {})
    if not message.get("executable") or target["kind"] != [kind] or target["name"] not in wanted:
        continue
    missing.discard(target["name"])
    crate = message["package_id"].split("#")[0].split("/")[-1]
    print(target["name"] if kind == "bench" else f"{crate}-tests", message["executable"])
if missing:
    sys.exit(f"cargo built no {kind} named {', '.join(sorted(missing))}")
