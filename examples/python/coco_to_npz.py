#!/usr/bin/env python3
"""Converts images with COCO annotations into an .npz file for `kind = "npy"` (docs/coco.md).

    coco_to_npz.py ANNOTATIONS.json IMAGES OUT.npz [--size 320] [--boxes 32] [--masks] [--part K/N] [--classes FILE]

ANNOTATIONS.json is a file of COCO's "instances", IMAGES the folder of its images. Each image is resized so that its longer
side is --size, and lies in the middle of a grey square. Images without annotations are kept. Arrays:

    image    uint8 [n, 3, size, size], 0 to 255
    y_boxes  float32 [n, boxes, 4]: left, top, right, bottom in pixels of the square; zeros behind the last box
    y        int64 [n, boxes]: the class of each box, -100 behind the last box

With --masks, for semantic segmentation, instead:

    x        uint8 [n, 3, size, size]
    y        int16 [n, size, size]: 0 background, 1 + class; -100 around the image and in crowds

Classes are the categories in the order of their ids, from 0 (COCO's ids 1 to 90 become 0 to 79). --classes FILE has the
names of the classes, one a line, in this order: it is written if it does not exist, otherwise the categories of
ANNOTATIONS.json get the numbers that their names have there. Use the same file for all clients.

--part K/N takes every Nth image, beginning with the Kth: to deal a data set out to N clients in an experiment.

What is left out is counted: annotations of crowds, boxes of less than a pixel, and all but the largest --boxes boxes of an
image. Needs Pillow and NumPy (Debian: python3-pil, python3-numpy). The arrays are held in memory.
"""
import argparse
import json
import os
import sys
from collections import Counter

try:
    import numpy as np
    from PIL import Image, ImageDraw
except ImportError as error:
    sys.exit(f"coco_to_npz: {sys.executable} has no {error.name}; install Debian's python3-pil and python3-numpy")

IGNORED = -100  # a label that does not count
GREY = 114


class Unfit(Exception):
    """Why the data cannot be converted, in one line."""


def read_annotations(path):
    with open(path, encoding="utf-8") as file:
        try:
            coco = json.load(file)
        except ValueError as error:
            raise Unfit(f"{path} is not JSON: {error}") from error
    for table in ("images", "annotations", "categories"):
        if not isinstance(coco, dict) or not isinstance(coco.get(table), list):
            raise Unfit(f"{path} has no list \"{table}\": it is not a file of COCO's \"instances\"")
    return coco


def class_numbers(categories, path):
    """category id -> class."""
    ordered = [entry["name"] for entry in sorted(categories, key=lambda entry: entry["id"])]
    if path and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            names = file.read().splitlines()
        unknown = sorted(set(ordered) - set(names))
        if unknown:
            raise Unfit(f"{path} has no class {', '.join(unknown)}")
    else:
        names = ordered
        if path:
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(f"{name}\n" for name in names))
    if len(set(names)) != len(names):
        raise Unfit("two classes have the same name")
    return {entry["id"]: names.index(entry["name"]) for entry in categories}, names


class Letterbox:
    """Resizes an image into the middle of a square."""

    def __init__(self, width, height, size):
        self.scale = size / max(width, height)
        self.width, self.height = max(1, round(width * self.scale)), max(1, round(height * self.scale))
        self.left, self.top = (size - self.width) // 2, (size - self.height) // 2
        self.size = size

    def image(self, image):
        square = Image.new("RGB", (self.size, self.size), (GREY, GREY, GREY))
        square.paste(image.convert("RGB").resize((self.width, self.height), Image.BILINEAR), (self.left, self.top))
        return np.asarray(square).transpose(2, 0, 1)

    def box(self, box):
        """COCO's [left, top, width, height] -> [left, top, right, bottom] in the square; None below one pixel."""
        x, y, width, height = (value * self.scale for value in box)
        left, right = np.clip([x, x + width], 0, self.width) + self.left
        top, bottom = np.clip([y, y + height], 0, self.height) + self.top
        return [left, top, right, bottom] if right - left >= 1 and bottom - top >= 1 else None

    def polygon(self, points):
        return [(points[i] * self.scale + self.left, points[i + 1] * self.scale + self.top)
                for i in range(0, len(points) - 1, 2)]

    def mask(self, mask):
        """A mask of the image's own size -> bool [size, size]."""
        small = Image.fromarray(mask.astype(np.uint8)).resize((self.width, self.height), Image.NEAREST)
        square = np.zeros((self.size, self.size), bool)
        square[self.top:self.top + self.height, self.left:self.left + self.width] = np.asarray(small) > 0
        return square


def decode_runs(runs):
    """The mask of an uncompressed run-length encoding: runs of 0 and 1 in turn, column by column."""
    height, width = runs["size"]
    values = np.repeat(np.arange(len(runs["counts"])) % 2, runs["counts"])
    if values.size != height * width:
        raise Unfit(f"a mask of {values.size} pixels for an image of {width} x {height}")
    return values.reshape(width, height).T


def class_of(annotation, numbers):
    if annotation["category_id"] not in numbers:
        raise Unfit(f"annotation {annotation.get('id')} has the category {annotation['category_id']}, which is not in "
                    "\"categories\"")
    return numbers[annotation["category_id"]]


def boxes_of(annotations, numbers, letterbox, most, left_out):
    boxes, labels = np.zeros((most, 4), np.float32), np.full(most, IGNORED, np.int64)
    found = []
    for annotation in annotations:
        if annotation.get("iscrowd", 0):
            left_out["crowds"] += 1
            continue
        box = letterbox.box(annotation["bbox"])
        if box is None:
            left_out["boxes of less than a pixel"] += 1
            continue
        found.append((box, class_of(annotation, numbers)))
    found.sort(key=lambda one: -(one[0][2] - one[0][0]) * (one[0][3] - one[0][1]))
    left_out[f"boxes beyond {most}"] += max(0, len(found) - most)
    for place, (box, label) in enumerate(found[:most]):
        boxes[place], labels[place] = box, label
    return boxes, labels


def mask_of(annotations, numbers, letterbox, left_out):
    drawn = Image.new("I", (letterbox.size, letterbox.size), IGNORED)  # 32 bits
    draw = ImageDraw.Draw(drawn)
    draw.rectangle([letterbox.left, letterbox.top, letterbox.left + letterbox.width - 1,
                    letterbox.top + letterbox.height - 1], fill=0)
    ignored = np.zeros((letterbox.size, letterbox.size), bool)
    # The largest first, so that what is in front of it, and usually smaller, stays visible.
    for annotation in sorted(annotations, key=lambda one: -one.get("area", 0)):
        shape = annotation["segmentation"]
        if isinstance(shape, list):
            for points in shape:
                if len(points) >= 6:
                    draw.polygon(letterbox.polygon(points), fill=1 + class_of(annotation, numbers))
        elif isinstance(shape["counts"], list):
            mask = letterbox.mask(decode_runs(shape))
            if annotation.get("iscrowd", 0):
                ignored |= mask
            else:
                drawn.paste(1 + class_of(annotation, numbers), mask=Image.fromarray(mask))
        else:
            left_out["compressed masks"] += 1
        if annotation.get("iscrowd", 0):
            left_out["crowds"] += 1
    labels = np.asarray(drawn).astype(np.int16)
    labels[ignored] = IGNORED
    return labels


def convert(options):
    coco = read_annotations(options.annotations)
    numbers, names = class_numbers(coco["categories"], options.classes)
    by_image = {}
    for annotation in coco["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    part, parts = options.part
    entries = sorted(coco["images"], key=lambda entry: entry["id"])[part - 1::parts]
    if not entries:
        raise Unfit(f"{options.annotations} has no image for this part")

    images = np.empty((len(entries), 3, options.size, options.size), np.uint8)
    first, second, left_out, empty = [], [], Counter(), 0
    for i, entry in enumerate(entries):
        with Image.open(os.path.join(options.images, os.path.basename(entry["file_name"]))) as image:
            if image.size != (entry["width"], entry["height"]):
                raise Unfit(f"{entry['file_name']} has {image.size[0]} x {image.size[1]} pixels, but "
                            f"{entry['width']} x {entry['height']} in {options.annotations}")
            letterbox = Letterbox(*image.size, options.size)
            images[i] = letterbox.image(image)
        annotations = by_image.get(entry["id"], [])
        empty += not annotations
        if options.masks:
            first.append(mask_of(annotations, numbers, letterbox, left_out))
        else:
            boxes, labels = boxes_of(annotations, numbers, letterbox, options.boxes, left_out)
            first.append(labels)
            second.append(boxes)
    if options.masks:
        arrays = {"x": images, "y": np.stack(first)}
    else:
        arrays = {"image": images, "y_boxes": np.stack(second), "y": np.stack(first)}
    temporary = f"{options.out}.part"
    with open(temporary, "wb") as file:
        np.savez(file, **arrays)
    os.replace(temporary, options.out)
    labelled = int((arrays["y"] != IGNORED).sum())
    print(f"{options.out}: {len(entries)} images, {empty} of them without annotations; {labelled} labelled "
          f"{'pixels' if options.masks else 'boxes'} of {len(names)} classes; left out: "
          + (", ".join(f"{count} {what}" for what, count in sorted(left_out.items()) if count) or "nothing"))


def part_of(text):
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError("write K/N, with K from 1 to N")
    return int(part), int(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", metavar="ANNOTATIONS.json")
    parser.add_argument("images", metavar="IMAGES")
    parser.add_argument("out", metavar="OUT.npz")
    parser.add_argument("--size", type=int, default=320, help="width and height of the square (320)")
    parser.add_argument("--boxes", type=int, default=32, help="places for boxes in each example (32)")
    parser.add_argument("--masks", action="store_true", help="write label maps instead of boxes")
    parser.add_argument("--part", type=part_of, default=(1, 1), metavar="K/N", help="every Nth image, from the Kth on")
    parser.add_argument("--classes", metavar="FILE", help="the names of the classes, one a line")
    options = parser.parse_args()
    if options.size < 8 or options.boxes < 1:
        parser.error("--size is at least 8, and --boxes at least 1")
    try:
        convert(options)
    except KeyError as error:
        print(f"coco_to_npz: {options.annotations}: an entry has no {error}", file=sys.stderr)
        return 2
    except (Unfit, OSError, ValueError) as error:
        print(f"coco_to_npz: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
