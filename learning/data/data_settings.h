// The keys of [data] in client.toml and of [evaluation] in federation.toml that describe the examples.
#pragma once
#include <array>
#include <string_view>

#include "common/config/document.h"
#include "common/config/schema.h"
#include "common/error.h"
#include "learning/data/data_config.h"

namespace hansa::learning {

namespace data_choices {
inline constexpr std::array<std::string_view, 2> target{"class", "real"};
inline constexpr std::array<std::string_view, 4> missing{"refuse", "skip", "zero", "mean"};
inline constexpr std::array<std::string_view, 3> scale{"none", "standard", "federation"};
inline constexpr std::array<std::string_view, 2> color{"rgb", "grey"};
inline constexpr std::array<std::string_view, 3> augment{"flip", "crop", "jitter"};
inline constexpr std::array<std::string_view, 2> features{"wave", "log-mel"};
inline constexpr config::Range rows{.least = 1, .most = 1'000'000};
}  // namespace data_choices

inline constexpr std::array data_settings{
    config::Setting{
        .key = "kind",
        .presence = config::Presence::defaulted,
        .default_value = "\"idx\"",
        .meaning =
            "Format of the data: `idx` (files of the MNIST family), `csv` (one example for each row), "
            "`windows` "
            "(sliding windows over the rows of a CSV file), `tensors` (a `torch.save`d dict of tensors `x` "
            "and `y`), "
            "`text` (the next character), `images` (JPEG and PNG files), `audio` (WAV and FLAC files), "
            "`tokens` (the next "
            "token), `npy` (arrays of NumPy), `hdf5`, `cifar` (the binary files of CIFAR-10 and CIFAR-100), "
            "`sqlite` (the "
            "rows of a query), `jsonl` (a JSON object in each line), or the name that a plugin registers. "
            "Files of idx, "
            "csv, windows, text, jsonl and text for tokens may be gzipped. Each key below names the kinds "
            "that it applies to, and is refused with other kinds.",
        .range = {.least = 1, .most = 64},
        .example = "\"csv\""},
    config::Setting{.key = "images",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "idx: the images, an idx3 file of bytes; pixels are divided by 255. Required.",
                    .example = "\"data/images.idx\""},
    config::Setting{
        .key = "labels",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning =
            "idx: their labels, an idx1 file. Required. npy: an .npy file with the targets, if `file` is "
            "an .npy file.",
        .example = "\"data/labels.idx\""},
    config::Setting{
        .key = "file",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning =
            "csv, windows, tensors, text, tokens, npy, hdf5, cifar, sqlite, jsonl: the file. Required. "
            "images, "
            "audio: a CSV file with the paths of the files, relative to its folder, and their labels; or set "
            "`class_folders`. Plugins: up to the plugin.",
        .example = "\"data/patients.csv\""},
    config::Setting{
        .key = "class_folders",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning = "images, audio: a folder with a folder of files for each class, which has the name of the "
                   "class.",
        .example = "\"data/photos\""},
    config::Setting{
        .key = "columns",
        .kind = config::Kind::texts,
        .presence = config::Presence::optional,
        .meaning = "csv, windows, sqlite, jsonl: names of the input columns, in the order in which the model "
                   "takes them. "
                   "Without it: all columns except `label` and `group`, in the file's order. images, audio: "
                   "the column "
                   "with the paths; without it: `file`. hdf5: paths of the input datasets. Required there.",
        .range = {.least = 1, .most = 256},
        .example = "[\"age\", \"pressure\"]"},
    config::Setting{.key = "label",
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows, sqlite, jsonl: name of the column to predict. Required. "
                               "images, audio: the column of "
                               "`file` with the labels; without it: `label`. hdf5: path of the dataset with "
                               "the targets. Required. "
                               "cifar: `fine` (the default) or `coarse`, of CIFAR-100.",
                    .range = {.least = 1, .most = 256},
                    .example = "\"diagnosis\""},
    config::Setting{.key = "target",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning =
                        "csv, windows, sqlite, jsonl: what the label is: `class` (the default), trained with "
                        "cross-entropy, or `real`, a number, trained with the mean squared error.",
                    .choices = data_choices::target,
                    .example = "\"real\""},
    config::Setting{.key = "classes",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows, sqlite, jsonl, images, audio: the labels as written in the "
                               "file, or the names of the folders; the first is class 0. Use the same "
                               "list on all clients. Without it labels are integers from 0, and folders are "
                               "classes in the order of their "
                               "names.",
                    .range = {.least = 1, .most = 256},
                    .example = "[\"benign\", \"malignant\"]"},
    config::Setting{.key = "delimiter",
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows: the character between fields. Without it: a comma.",
                    .range = {.least = 1, .most = 1},
                    .example = "\";\""},
    config::Setting{
        .key = "missing",
        .kind = config::Kind::choice,
        .presence = config::Presence::optional,
        .meaning =
            "csv, windows: what happens to an input that is empty or a word for a missing value, such as "
            "`NA`, `NaN`, "
            "`null`, `-`, `?` or `#N/A`. "
            "`refuse` (the default): the file is refused, naming the line. `skip`: the row is "
            "skipped, and no window spans it. `zero`, `mean`: it is replaced by 0 or by the mean of its "
            "column in this file. A missing label is refused or skipped.",
        .choices = data_choices::missing,
        .example = "\"mean\""},
    config::Setting{.key = "missing_words",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows: further words that stand for a missing value.",
                    .range = {.least = 1, .most = 64},
                    .example = "[\"-999\", \"offline\"]"},
    config::Setting{.key = "scale",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning =
                        "`federation` (all kinds) scales each column of the float32 inputs by its mean and "
                        "deviation over the data of all clients, if federation.toml has `[statistics]`: "
                        "[data.md](data.md#scaling-by-the-data-of-all-clients). `standard` (csv, windows) "
                        "gives each input column of this file mean 0 and deviation 1, by this client's own "
                        "data: if the ranges of clients differ, equal values then become different ones. "
                        "`none`, the default, does not scale.",
                    .choices = data_choices::scale,
                    .example = "\"federation\""},
    config::Setting{.key = "group",
                    .presence = config::Presence::optional,
                    .meaning =
                        "windows: the column that names the series of a row; no window spans "
                        "two series. csv: likewise, and the rows of a series are one example, with one "
                        "label: the model receives `length` x columns.",
                    .range = {.least = 1, .most = 256},
                    .example = "\"machine\""},
    config::Setting{.key = "window",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::optional,
                    .meaning = "windows: rows in a window; the model receives columns x rows. text: "
                               "characters. tokens: tokens. audio: "
                               "samples. Required.",
                    .unit = "rows",
                    .range = data_choices::rows,
                    .example = "128"},
    config::Setting{.key = "stride",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::optional,
                    .meaning = "windows, text, tokens, audio: rows from the start of one window to the start "
                               "of the next. Without it: 1; for "
                               "tokens and audio: as many as in the window.",
                    .unit = "rows",
                    .range = data_choices::rows,
                    .example = "64"},
    config::Setting{
        .key = "horizon",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning =
            "windows: the label comes from the row that many rows after the window's last. Without it: 0, "
            "the last row itself.",
        .unit = "rows",
        .range = {.least = 0, .most = 1'000'000},
        .example = "1"},
    config::Setting{
        .key = "size",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning =
            "images: height and width that the model receives: each image is resized until its shorter side "
            "has this size, and its centre is taken. Required.",
        .unit = "pixels",
        .range = {.least = 8, .most = 2'048},
        .example = "224"},
    config::Setting{.key = "color",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning = "images: `rgb` (the default; three channels) or `grey` (one channel).",
                    .choices = data_choices::color,
                    .example = "\"grey\""},
    config::Setting{
        .key = "augment",
        .kind = config::Kind::texts,
        .presence = config::Presence::optional,
        .meaning = "images: random changes of the images that are trained on: `flip` (left and right, half "
                   "of them), "
                   "`crop` (another part than the centre), `jitter` (brightness, contrast and saturation).",
        .range = {.least = 1, .most = 64},
        .example = "[\"flip\", \"crop\"]"},
    config::Setting{.key = "sequences",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning = "jsonl: columns whose arrays have different lengths; csv: columns whose "
                               "fields are lists, such as "
                               "`1 5 9` or `[1, 5, 9]`. They are followed by zeros up to `length`; of each, "
                               "the model may take a further input, COLUMN_length or COLUMN_mask, which "
                               "says which values are there.",
                    .range = {.least = 1, .most = 64},
                    .example = "[\"tokens\"]"},
    config::Setting{
        .key = "length",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning = "jsonl, csv: the length of `sequences`, or of the series of `group`, in the model: at "
                   "least that of the longest; the same on all clients. Required with them.",
        .unit = "values",
        .range = data_choices::rows,
        .example = "128"},
    config::Setting{.key = "query",
                    .presence = config::Presence::optional,
                    .meaning = "sqlite: a SELECT, whose rows are the examples. Required.",
                    .range = {.least = 1, .most = 4'096},
                    .example = "\"SELECT age, pressure, ill FROM visits\""},
    config::Setting{
        .key = "tokenizer",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning =
            "tokens: a SentencePiece model, the same on all clients. Without it: each byte is a token.",
        .example = "\"tokenizer.model\""},
    config::Setting{
        .key = "rate",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning =
            "audio: samples in a second; a file with another rate is refused. Without it: the rate of the "
            "first file.",
        .unit = "Hz",
        .range = {.least = 1'000, .most = 384'000},
        .example = "16000"},
    config::Setting{
        .key = "features",
        .kind = config::Kind::choice,
        .presence = config::Presence::optional,
        .meaning =
            "audio: `wave` (the default): the model receives 1 x window samples from -1 to 1; `log-mel`: the "
            "logarithm of a mel spectrogram, 1 x mels x frames.",
        .choices = data_choices::features,
        .example = "\"log-mel\""},
    config::Setting{.key = "mels",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::optional,
                    .meaning = "audio: the bands of `log-mel`. Without it: 64.",
                    .unit = "bands",
                    .range = {.least = 8, .most = 256},
                    .example = "40"},
    config::Setting{
        .key = "damaged_max",
        .kind = config::Kind::number,
        .presence = config::Presence::optional,
        .meaning =
            "images, audio: the fraction of the files that may be damaged. They are left out, or replaced by "
            "other examples if the damage is found while training, and reported once. One file always may, "
            "unless this is 0: then each damaged file is an error. Without it: 0.01, and 0 in "
            "`[evaluation]`.",
        .range = {.least = 0, .most = 0.5},
        .example = "0.05"},
    config::Setting{.key = "plugin",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "A shared library that registers the kind of data that `kind` names.",
                    .example = "\"/usr/local/lib/libcamera_data.so\""},
    config::Setting{.key = "options",
                    .presence = config::Presence::optional,
                    .meaning = "Plugins: text that is passed to the plugin.",
                    .range = {.least = 1, .most = 4'096},
                    .example = "\"crop=96\""},
    config::Setting{.key = "examples_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Use only the first N examples; 0: all.",
                    .unit = "examples",
                    .range = {.least = 0, .most = 4'294'967'295},
                    .example = "5000"},
};

// named: the configuration names the data file. arrives: files or rows arrive while the client runs (follow/).
enum class DataFile : std::uint8_t { named, arrives };
// Reads the keys above from `table` of the document. Fails (usage) if the kind does not exist, if a key is set that the
// kind does not read, or if a key is missing that the kind needs.
[[nodiscard]] Result<DataConfig> read_data_config(const config::Document& document, std::string_view table,
                                                  DataFile file = DataFile::named);

}  // namespace hansa::learning
