#!/bin/bash
# The commands and files of docs/coco.md, run on stand-ins in COCO's format: examples/python/coco_to_npz.py, a detector, and
# the built-in model for segmentation.
#
#   coco_page_test.sh PROJECT_FOLDER PROGRAM_FOLDER
set -euo pipefail
export PATH="$2:$PATH" OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore
page="$1/docs/coco.md"

. "$(dirname "$0")/torch_python.sh"
. "$(dirname "$0")/page_blocks.sh"
if ! "$python" -c 'import PIL, numpy' 2>/dev/null; then
  echo "skipped: apt-get install python3-pil python3-numpy"
  exit 77
fi

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
fail() { echo "FAILED: $*" >&2; exit 1; }
mkdir programs
for program in hansa_export.py coco_to_npz.py; do
  printf '#!/bin/bash\nexec "%s" "%s" "$@"\n' "$python" "$1/examples/python/$program" >"programs/$program"
  chmod +x "programs/$program"
done
export PATH="$folder/programs:$PATH"
# Runs the commands of a section of the page, in this shell.
run_section() {
  page_blocks "$page" "$@" >commands.sh
  . ./commands.sh
}

# --- stand-ins: COCO's 80 categories, images with discs and squares of three of them, one crowd, one image of nothing
"$python" - <<'PYTHON'
import json, os, random
from PIL import Image, ImageDraw
random.seed(11)
GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
NAMES = {1: "person", 3: "car", 18: "dog", 90: "toothbrush"}
CATEGORIES = [{"supercategory": "thing", "id": i, "name": NAMES.get(i, f"category {i}")}
              for i in range(1, 91) if i not in GAPS]
os.mkdir("annotations")
for split, first, count in (("train2017", 9, 24), ("val2017", 139, 8)):
    os.mkdir(split)
    images, annotations = [], []
    for number in range(count):
        width, height = random.choice([(320, 240), (240, 320), (200, 200)])
        picture = Image.effect_noise((width, height), 30).convert("RGB")
        draw = ImageDraw.Draw(picture)
        image_id = first + 14 * number  # no file has the same name in both folders
        name = f"{image_id:012}.jpg"
        for _ in range(0 if number == 2 else random.randrange(1, 4)):
            category = random.choice([1, 3, 90])
            side = random.randrange(40, 90)
            x, y = random.randrange(0, width - side), random.randrange(0, height - side)
            corners = [x, y, x + side, y, x + side, y + side, x, y + side]
            if category == 1:
                draw.ellipse([x, y, x + side, y + side], fill=(220, 40, 40))
            else:
                draw.rectangle([x, y, x + side, y + side], fill=(40, 220, 40) if category == 3 else (40, 40, 220))
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, "category_id": category, "iscrowd": 0,
                                "area": float(side * side), "bbox": [float(x), float(y), float(side), float(side)],
                                "segmentation": [[float(value) for value in corners]]})
        if number == 1:  # the upper half is a crowd: columns of height / 2 ones and height / 2 zeros
            runs = [0] + [height // 2] * (2 * width)
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, "category_id": 1, "iscrowd": 1,
                                "area": float(width * height // 2), "bbox": [0.0, 0.0, float(width), float(height // 2)],
                                "segmentation": {"size": [height, width], "counts": runs}})
        if number == 3:
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, "category_id": 3, "iscrowd": 0, "area": 0.2,
                                "bbox": [5.0, 5.0, 0.4, 0.5], "segmentation": [[5.0, 5.0, 5.4, 5.0, 5.4, 5.5]]})
        picture.save(f"{split}/{name}", quality=90)
        images.append({"id": image_id, "file_name": name, "width": width, "height": height, "license": 1})
    random.shuffle(images)
    with open(f"annotations/instances_{split}.json", "w") as file:
        json.dump({"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": CATEGORIES}, file)
PYTHON

# --- the arrays
run_section "The files" sh >converted || fail "the data is not converted"
grep -q "client-01/boxes.npz: 8 images, 0 of them without annotations; .* of 80 classes; left out: 1 boxes of less than a pixel" converted ||
  fail "client-01: $(cat converted)"
grep -q "client-02/boxes.npz: .*left out: 1 crowds" converted || fail "the crowd is not counted: $(cat converted)"
grep -q "client-03/boxes.npz: 8 images, 1 of them without annotations" converted || fail "the image of nothing: $(cat converted)"
[ "$(wc -l <classes.txt)" -eq 80 ] && [ "$(tail -n 1 classes.txt)" = toothbrush ] || fail "classes.txt: $(tail -n 1 classes.txt)"
"$python" - <<'PYTHON' || fail "boxes or classes are not those of the annotations"
import json
import numpy
arrays = [numpy.load(f"federation/sites/client-0{k}/boxes.npz") for k in (1, 2, 3)]
coco = json.load(open("annotations/instances_train2017.json"))
classes = {1: 0, 3: 2, 90: 79}
for i, entry in enumerate(sorted(coco["images"], key=lambda entry: entry["id"])):
    part, place = arrays[i % 3], i // 3
    image, boxes, y = part["image"][place], part["y_boxes"][place], part["y"][place]
    scale = 320 / max(entry["width"], entry["height"])
    left, top = (320 - entry["width"] * scale) / 2, (320 - entry["height"] * scale) / 2
    expected = sorted((classes[a["category_id"]], *(round(v, 2) for v in (
        left + a["bbox"][0] * scale, top + a["bbox"][1] * scale,
        left + (a["bbox"][0] + a["bbox"][2]) * scale, top + (a["bbox"][1] + a["bbox"][3]) * scale)))
        for a in coco["annotations"] if a["image_id"] == entry["id"] and not a["iscrowd"] and a["area"] > 1)
    found = sorted((int(label), *(round(float(v), 2) for v in box)) for label, box in zip(y, boxes) if label != -100)
    assert numpy.allclose(found, expected, atol=0.02) and len(found) == len(expected), (entry, found, expected)
    assert (boxes[len(found):] == 0).all() and (y[len(found):] == -100).all()
    assert image.dtype == numpy.uint8
    if left > 1:
        assert (image[:, :, :int(left)] == 114).all()
    # The pixel in the middle of the smallest object, which is drawn over by none that is smaller: its own colour.
    if found:
        label, *box = min(found, key=lambda one: one[3] - one[1])
        others = [o for o in found if o != (label, *box)]
        x, y_ = int((box[0] + box[2]) / 2), int((box[1] + box[3]) / 2)
        if not any(o[1] < x < o[3] and o[2] < y_ < o[4] for o in others):
            assert image[:, y_, x].argmax() == {0: 0, 2: 1, 79: 2}[label], (entry, label, image[:, y_, x])
PYTHON
refused() {
  local expected="$1"
  shift
  if coco_to_npz.py "$@" 2>message; then fail "not refused: $*"; fi
  [ "$(wc -l <message)" -eq 1 ] && grep -qF -- "$expected" message || fail "the refusal of \"$*\": $(cat message)"
}
head -n 79 classes.txt >fewer.txt
refused "has no class toothbrush" annotations/instances_val2017.json val2017 x.npz --classes fewer.txt
refused "No such file" annotations/instances_val2017.json train2017 x.npz
refused "has the category 12, which is not in" <(sed 's/"category_id": 90/"category_id": 12/' annotations/instances_val2017.json) val2017 x.npz
refused 'has no list "images"' <(echo '{}') val2017 x.npz
refused "is not JSON" classes.txt val2017 x.npz
[ ! -e x.npz ] || fail "a refused file is written"
tac classes.txt >reversed.txt
coco_to_npz.py annotations/instances_val2017.json val2017 reversed.npz --boxes 1 --classes reversed.txt >converted
grep -q "boxes beyond 1" converted || fail "further boxes are not counted: $(cat converted)"
"$python" -c '
import numpy
y = numpy.load("reversed.npz")["y"]
assert y.shape == (8, 1) and set(y.ravel()) <= {-100, 79, 77, 0} and 77 in y, y' || fail "other numbers than those of the names"

# --- the detector
for site in federation/sites/*; do set_data "$site/client.toml" "$(page_blocks "$page" "The files" toml 1)"; done
page_blocks "$page" "The files" toml 2 >>federation/federation.toml
page_blocks "$page" "A detector" python >coco_model.py
run_section "A detector" sh >trained 2>error || fail "the detector does not train: $(cat error trained | tail -n 5)"
if grep -q "warning:\|note:" trained; then fail "a warning of the page's own model: $(grep 'warning:\|note:' trained)"; fi
grep -q "410484 are trained and sent" trained || fail "the page has another number of values: $(grep sent trained)"
hansa evaluate detector.pt federation/federation.toml --json >evaluated.json
hansa evaluate federation/model.pt federation/federation.toml --json >before.json
hansa status "$run" --json >status.json
"$python" - <<'PYTHON' || fail "what came back is not the detector"
import json, sys
import numpy, torch
sys.path.insert(0, ".")
from coco_model import Detector
data = {name: torch.from_numpy(value) for name, value in numpy.load("federation/boxes.npz").items()}
image, boxes, y = data["image"].float(), data["y_boxes"], data["y"]
archive = torch.jit.load("detector.pt").eval()
module = Detector()
module.load_state_dict(archive.state_dict())
metrics, before = json.load(open("evaluated.json")), json.load(open("before.json"))
with torch.no_grad():
    loss = module.training_loss(image, boxes, y).item()
    iou, objects = module.metrics(image, boxes, y)["box_iou"]
assert int(objects) == int((y >= 0).sum()) > 8, objects
assert abs(metrics["loss"]["mean"] - loss) < 1e-3 * loss, (metrics, loss)
assert abs(metrics["box_iou"]["mean"] - float(iou / objects)) < 1e-3, (metrics, iou, objects)
assert loss < before["loss"]["mean"], (loss, before)
rounds = json.load(open("status.json"))["rounds"]
assert len(rounds) == 2 and all(entry["secure"]["ring_bits"] > 0 for entry in rounds), rounds
# detect() returns the boxes of the cells with the highest scores.
with torch.no_grad():
    example, box, label, score = archive.detect(image, 0.0)
    assert len(box) == len(label) == len(score) > 0 and box.shape[1] == 4 and int(example.max()) == len(image) - 1
    out = module(image)
    best = out[0, :, :-4].sigmoid().max()
    assert torch.isclose(score[example == 0].max(), best), (score.max(), best)
# A batch in which nothing is labelled can be trained.
nothing = torch.full_like(y, -100)
module.training_loss(image, boxes, nothing).backward()
assert all(torch.isfinite(value.grad).all() for value in module.parameters())
PYTHON

# --- segmentation
run_section "Segmentation" sh 1 >converted || fail "the masks are not converted"
"$python" - <<'PYTHON' || fail "the label maps are not those of the annotations"
import json
import numpy
arrays = [numpy.load(f"segmentation/sites/client-0{k}/masks.npz") for k in (1, 2, 3)]
coco = json.load(open("annotations/instances_train2017.json"))
labels = {1: 1, 3: 3, 90: 80}
for i, entry in enumerate(sorted(coco["images"], key=lambda entry: entry["id"])):
    y = arrays[i % 3]["y"][i // 3]
    scale = 160 / max(entry["width"], entry["height"])
    width, height = round(entry["width"] * scale), round(entry["height"] * scale)
    left, top = (160 - width) // 2, (160 - height) // 2
    inside = numpy.zeros((160, 160), bool)
    inside[top:top + height, left:left + width] = True
    assert y.dtype == numpy.int16 and (y[~inside] == -100).all(), entry
    of_image = [a for a in coco["annotations"] if a["image_id"] == entry["id"]]
    crowd = numpy.zeros((160, 160), bool)
    if any(a["iscrowd"] for a in of_image):
        crowd[top:top + height // 2, left:left + width] = True
        assert (y[crowd] == -100).all()
    assert (y[inside & ~crowd] >= 0).all()
    drawn = numpy.zeros((160, 160), int)
    for a in sorted(of_image, key=lambda a: -a["area"]):
        if a["iscrowd"] or a["area"] < 1:
            continue
        x0, y0, x1, y1 = (round(v * scale) for v in (a["bbox"][0], a["bbox"][1], a["bbox"][0] + a["bbox"][2], a["bbox"][1] + a["bbox"][3]))
        drawn[top + y0:top + y1, left + x0:left + x1] = labels[a["category_id"]]
    counted = inside & ~crowd
    assert (y[counted] == drawn[counted]).mean() > 0.96, (entry, (y[counted] == drawn[counted]).mean())  # but for edges
    tiny = {labels[a["category_id"]] for a in of_image if a["area"] < 1}  # may still be a pixel
    assert set(numpy.unique(y[counted])) - tiny - {0} == set(numpy.unique(drawn[counted])) - tiny - {0}, entry
PYTHON
block="$(page_blocks "$page" "Segmentation" toml)"
for site in segmentation/sites/*; do set_data "$site/client.toml" "$block"; done
sed 's/\[data\]/[evaluation]/' <<<"$block" >>segmentation/federation.toml
run_section "Segmentation" sh 2 >trained 2>error || fail "the U-Net does not train: $(cat error trained | tail -n 5)"
hansa evaluate segments.pt segmentation/federation.toml --json >evaluated.json
hansa evaluate segmentation/model.pt segmentation/federation.toml --json >before.json
"$python" - <<'PYTHON' || fail "what came back is not the U-Net"
import json
import numpy, torch
data = numpy.load("segmentation/masks.npz")
x, y = torch.from_numpy(data["x"]).float(), torch.from_numpy(data["y"]).long()
archive = torch.jit.load("segments.pt").eval()
metrics, before = json.load(open("evaluated.json")), json.load(open("before.json"))
with torch.no_grad():
    scores = archive(x)
    # Bytes or values from 0 to 1: the same, because the first layer is normalised.
    assert torch.allclose(archive(x / 255.0), scores, atol=2e-2), (archive(x / 255.0) - scores).abs().max()
right = (scores.argmax(1) == y)[y != -100].float().mean().item()
assert abs(metrics["accuracy"]["mean"] - right) < 1e-3, (metrics, right)
assert metrics["loss"]["mean"] < before["loss"]["mean"], (metrics, before)
PYTHON
echo "boxes and masks are those of the annotations; the detector and the U-Net trained, and came back"
