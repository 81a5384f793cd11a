#!/bin/bash
# The commands and files of docs/imagenet.md, run on stand-ins in the format of ImageNet and of torchvision's weights.
#
#   imagenet_page_test.sh PROJECT_FOLDER PROGRAM_FOLDER
set -euo pipefail
export PATH="$2:$PATH" OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
page="$1/docs/imagenet.md"

. "$(dirname "$0")/torch_python.sh"
. "$(dirname "$0")/page_blocks.sh"
if ! "$python" -c 'import PIL, torchvision' 2>/dev/null; then
  echo "skipped: apt-get install python3-torchvision python3-pil"
  exit 77
fi

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "FAILED: $*" >&2; exit 1; }
mkdir programs
printf '#!/bin/bash\nexec "%s" "%s" "$@"\n' "$python" "$1/examples/python/hansa_export.py" >programs/hansa_export.py
chmod +x programs/hansa_export.py
export PATH="$folder/programs:$PATH"
# Runs the commands of a section of the page, in this shell.
run_section() {
  page_blocks "$page" "$@" >commands.sh
  . ./commands.sh
}

# --- stand-ins: archives, lists and weights
"$python" - <<'PYTHON'
import io, random, tarfile
import torch, torchvision
from PIL import Image, ImageDraw
random.seed(3)
SYNSETS = ["n01440764", "n01443537", "n01484850"]


def image(kind):
    """A disc, a square or stripes on noise, in one of three colours."""
    width, height = random.randrange(230, 340), random.randrange(230, 340)
    out = Image.effect_noise((width, height), 40).convert("RGB")
    draw, x, y = ImageDraw.Draw(out), random.randrange(20, 80), random.randrange(20, 80)
    box, color = [x, y, x + 120, y + 120], [(200, 30, 30), (30, 200, 30), (30, 30, 200)][kind]
    if kind == 0:
        draw.ellipse(box, fill=color)
    elif kind == 1:
        draw.rectangle(box, fill=color)
    else:
        for line in range(y, y + 120, 20):
            draw.line([x, line, x + 120, line], fill=color, width=8)
    return out


def encoded(picture, form="JPEG"):
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def add(archive, name, content):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


with tarfile.open("ILSVRC2012_img_train.tar", "w") as train:
    for kind, synset in enumerate(SYNSETS):
        files = [encoded(image(kind)) for _ in range(8)]
        if kind == 0:  # as a few files of ImageNet
            files[0] = encoded(image(kind).convert("CMYK"))
            files[1] = encoded(image(kind), "PNG")
            files[2] = encoded(image(kind).convert("L"))
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w") as archive:
            for number, content in enumerate(files):
                add(archive, f"{synset}_{100 + number}.JPEG", content)
        add(train, f"{synset}.tar", inner.getvalue())
with tarfile.open("ILSVRC2012_img_val.tar", "w") as val, open("LOC_val_solution.csv", "w") as solution:
    solution.write("ImageId,PredictionString\n")
    for number in [3, 1, 2, 6, 5, 4]:
        kind = number % 3
        name = f"ILSVRC2012_val_{number:08}"
        add(val, f"{name}.JPEG", encoded(image(kind)))
        # The class and its boxes, of which some images have several.
        solution.write(f"{name},{SYNSETS[kind]} 20 20 140 140 {SYNSETS[kind]} 1 2 30 40 \n")
with open("LOC_synset_mapping.txt", "w") as mapping:
    for synset in SYNSETS + [f"n{9000000 + number:08}" for number in range(997)]:
        mapping.write(f"{synset} tench, Tinca tinca\n")
torch.manual_seed(5)
net = torchvision.models.resnet18()
with torch.no_grad():
    for _ in range(2):  # statistics of batch normalisation that are not 0 and 1
        net(torch.rand(8, 3, 96, 96) * 4 - 2)
torch.save(net.state_dict(), "resnet18-f37072fd.pth")
PYTHON

# --- the files, and the clients' configuration
run_section "The files" sh
[ "$(ls train/n01443537 | wc -l)" -eq 8 ] || fail "the images are not unpacked"
[ "$(head -n 2 val/val.csv | tail -n 1)" = "ILSVRC2012_val_00000003.JPEG,n01440764" ] || fail "val.csv: $(head -n 2 val/val.csv)"
[ "$(wc -l <synsets.txt)" -eq 1000 ] && [ "$(head -n 1 synsets.txt)" = n01440764 ] || fail "synsets.txt"
run_section "The clients" sh 1
all_classes() { awk 'NR == FNR { line = $0; next } /^classes = / { $0 = line } { print }' classes.toml -; }
[ "$(page_blocks "$page" "The clients" toml | grep -c '^classes = \["n01440764", "n01443537", "n01484850"\]')" -eq 1 ] ||
  fail "the page has other synsets than the stand-ins"
data="$(page_blocks "$page" "The clients" toml | all_classes)"
for site in federation/sites/*; do set_data "$site/client.toml" "$data"; done
page_blocks "$page" "The validation images, at the aggregator" toml | all_classes >>federation/federation.toml
run_section "The clients" sh 2
hansa data describe federation/sites/client-02/client.toml --json >described.json || fail "the data is not described"
"$python" - <<'PYTHON' || fail "whole classes: other examples than those of n01443537"
import json
x, y = json.load(open("described.json"))["tensors"]
assert x["shape"] == [3, 224, 224] and len(y["labels"]) == 1000, (x, len(y["labels"]))
assert sum(y["labels"]) == y["labels"][1] == 8, y["labels"][:5]
PYTHON

# --- images of all classes for each client, and the built-in model
run_section "The clients" sh 3
cp -r federation/sites/client-01 federation/sites/listed
mv federation/sites/listed listed-client
set_data listed-client/client.toml "$(sed 's/^class_folders = .*/file = "train.csv"/' <<<"$data")"
hansa data describe listed-client/client.toml --json >described.json || fail "the list of files is not read"
"$python" - <<'PYTHON' || fail "images of all classes: other examples"
import json
_, y = json.load(open("described.json"))["tensors"]
assert sum(y["labels"]) == 8 and all(count in (2, 3) for count in y["labels"][:3]), y["labels"][:5]
PYTHON
run_section "The built-in model" sh
hansa model inspect federation/model.pt --json | grep -q '11689512' || fail "the built-in model has other values"
hansa model check federation/model.pt --data listed-client/client.toml --batch-size 4 | grep -q '^fit' ||
  fail "the built-in model is not trained"

# --- torchvision's model and weights: exported, trained, and back
page_blocks "$page" "torchvision's ResNet and its weights" python >imagenet_model.py
run_section "torchvision's ResNet and its weights" sh >exported || fail "the model is not taken: $(cat exported)"
grep -q "513000 are trained and sent" exported || fail "other values than the head are sent: $(cat exported)"
if grep -q "warning:\|note:" exported; then fail "a warning of the page's own model: $(cat exported)"; fi
cp federation/model.pt head.pt
# The other rows of the table.
export_model() { hansa_export.py export imagenet_model.py:ImageNetResNet other.pt "$@" >other || fail "not exported: $*"; }
sent() { hansa model inspect other.pt | grep -c "$1" || true; }
page_blocks_table() { sed -n 's/^| .* | `\(--.*\)`.*/\1/p' "$page"; }
[ "$(page_blocks_table | wc -l)" -eq 3 ] || fail "the table of the page has other rows: $(page_blocks_table)"
weights=(--arguments '{"weights": "resnet18-f37072fd.pth"}')
export_model --arguments '{"weights": "resnet18-f37072fd.pth", "classes": 12}' --freeze 'net.conv1.*' --freeze 'net.bn1.*' --freeze 'net.layer*'
grep -q "6156 are trained and sent" other || fail "a head for 12 classes: $(cat other)"
export_model "${weights[@]}" --freeze 'net.conv1.*' --freeze 'net.bn1.*' --freeze 'net.layer[123]*'
[ "$(sent 'net.layer4')" -gt 15 ] && [ "$(sent 'net.layer[123]\|net.bn1')" -eq 0 ] || fail "the last block and the head: $(hansa model inspect other.pt)"
export_model "${weights[@]}" --freeze '*running_*'
[ "$(sent running_)" -eq 0 ] && [ "$(sent 'net.layer1.0.bn1.weight')" -eq 1 ] || fail "all but the statistics"
export_model "${weights[@]}"
[ "$(sent running_)" -eq 40 ] || fail "everything: $(sent running_) statistics are sent"

run_section "Training, and back" sh >trained || fail "it does not train, or does not come back: $(tail -n 3 trained)"
hansa status "$run" --json >status.json
hansa evaluate global.pt federation/federation.toml --json >evaluated.json
"$python" - <<'PYTHON' || fail "what came back is not what torchvision computes"
import csv, json, sys
import torch, torchvision
from PIL import Image
from torchvision import transforms
sys.path.insert(0, ".")
from imagenet_model import ImageNetResNet
before = torch.load("resnet18-f37072fd.pth")
after = {name[4:]: value for name, value in torch.load("imagenet-resnet.pth").items() if name.startswith("net.")}
for name, value in before.items():
    assert torch.equal(value, after[name]) != name.startswith("fc."), name
plain = torchvision.models.resnet18()
plain.load_state_dict(after)
plain.eval()
# torchvision's own preprocessing, on the files of the page.
prepare = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
                              transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
rows = list(csv.DictReader(open("val/val.csv")))
classes = open("synsets.txt").read().split()
x = torch.stack([prepare(Image.open("val/" + row["file"]).convert("RGB")) for row in rows])
y = torch.tensor([classes.index(row["label"]) for row in rows])
with torch.no_grad():
    expected = torch.nn.functional.cross_entropy(plain(x), y).item()
    head = torch.jit.load("head.pt").train()  # as a device does: the frozen statistics do not depend on the mode
    plain.load_state_dict(before)
    pixels = x * torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1) + torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    assert torch.allclose(head(pixels), plain(x), atol=1e-3), (head(pixels) - plain(x)).abs().max()
metrics = json.load(open("evaluated.json"))
loss = metrics["loss"]["mean"]
assert abs(loss - expected) < 0.02 * max(1, expected), (loss, expected)
rounds = json.load(open("status.json"))["rounds"]
assert len(rounds) == 2 and all(entry["secure"]["ring_bits"] > 0 for entry in rounds), rounds
PYTHON
echo "the page's commands unpack, train, and give torchvision's model back"
