#!/bin/bash
# A text is encoded by a SentencePiece model in programs that use LibTorch, which has another version of Protocol Buffers
# (learning/data/kinds/tokens/sentencepiece_module.h), and a language model is trained on it in hansa-trainer's way.
#
#   tokens_test.sh PROJECT_FOLDER PROGRAM_FOLDER
set -euo pipefail
export PATH="$2:$PATH"
if ! command -v spm_train >/dev/null || ! [ -e "$2/libhansa_sentencepiece.so" ]; then
  echo "skipped: apt-get install sentencepiece libsentencepiece-dev, and build again"
  exit 77
fi
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "FAILED: $*" >&2; exit 1; }

cat "$1"/docs/*.md >book.txt
spm_train --input=book.txt --model_prefix=tokenizer --vocab_size=400 --minloglevel=2 >/dev/null
hansa new site --clients 1 --clients-min 1 --rounds 1 >/dev/null
client=site/sites/client-01/client.toml
awk '/^\[data\]/ { print "[data]\nkind = \"tokens\"\nfile = \"../../../book.txt\"\ntokenizer = \"../../../tokenizer.model\"\nwindow = 32\nexamples_max = 64\n"; skip = 1; next } /^(#|\[)/ { skip = 0 } !skip' \
  "$client" >changed
mv changed "$client"
hansa data describe "$client" --json >described.json || fail "the data is not described"
python3 - <<'PYTHON' || fail "other tokens than those of SentencePiece"
import json
data = json.load(open("described.json"))
x, y = data["tensors"]
assert (x["shape"], y["shape"], x["type"]) == ([32], [32], "int64"), data
assert len(y["labels"]) == 400 and sum(y["labels"]) == 64 * 32 and x["most"] < 400, data
PYTHON
hansa model create transformer-tiny site/model.pt --classes 400 --force >/dev/null
hansa model check site/model.pt --data "$client" | grep -q "^fit" || fail "the model is not trained"
# The trainer is a process of its own.
hansa model sign site/model.pt --key site/keys/root.key >/dev/null
sed -i 's#^bind = .*#bind = "tcp://127.0.0.1:0"#' site/federation.toml
hansa-aggregator site/federation.toml >aggregator.log 2>&1 &
aggregator=$!
trap 'kill $aggregator $client_process 2>/dev/null || true; rm -rf "$folder"' EXIT
client_process=
for _ in $(seq 600); do
  address="$(grep -o 'tcp://127.0.0.1:[1-9][0-9]*' aggregator.log | head -n 1)" && [ -n "$address" ] && break
  sleep 0.05
done
sed -i "s#^address = .*#address = \"$address\"#" "$client"
hansa-client "$client" >client.log 2>&1 &
client_process=$!
wait "$aggregator" || fail "the aggregator: $(tail -n 3 aggregator.log)"
grep -q "round   1.*1 of 1 clients counted" aggregator.log || fail "no round: $(tail -n 3 aggregator.log client.log)"
grep -q "held-out examples: loss .*, accuracy" aggregator.log || fail "the model is not measured: $(tail -n 3 aggregator.log)"
echo "a language model was trained on the tokens of SentencePiece"
