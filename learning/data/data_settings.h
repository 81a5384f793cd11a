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
inline constexpr std::array<std::string_view, 2> scale{"none", "standard"};
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
            "`text` (the next character), or the name that a plugin registers. Files may be gzipped, except "
            "`tensors`. Each key below names the kinds that it applies to, and is refused with other kinds.",
        .range = {.least = 1, .most = 64},
        .example = "\"csv\""},
    config::Setting{.key = "images",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "idx: the images, an idx3 file of bytes; pixels are divided by 255. Required.",
                    .example = "\"data/images.idx\""},
    config::Setting{.key = "labels",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "idx: their labels, an idx1 file. Required.",
                    .example = "\"data/labels.idx\""},
    config::Setting{.key = "file",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows, tensors, text: the file. Required. Plugins: up to the plugin.",
                    .example = "\"data/patients.csv\""},
    config::Setting{
        .key = "columns",
        .kind = config::Kind::texts,
        .presence = config::Presence::optional,
        .meaning = "csv, windows: names of the input columns, in the order in which the model takes them. "
                   "Without it: all columns except `label` and `group`, in the file's order.",
        .range = {.least = 1, .most = 256},
        .example = "[\"age\", \"pressure\"]"},
    config::Setting{.key = "label",
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows: name of the column to predict. Required.",
                    .range = {.least = 1, .most = 256},
                    .example = "\"diagnosis\""},
    config::Setting{.key = "target",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows: what the label is: `class` (the default), trained with "
                               "cross-entropy, or `real`, a number, trained with the mean squared error.",
                    .choices = data_choices::target,
                    .example = "\"real\""},
    config::Setting{.key = "classes",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning =
                        "csv, windows: the labels as written in the file; the first is class 0. Use the same "
                        "list on all clients. Without it labels are integers from 0.",
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
                        "csv, windows: `standard` gives each input column of this file mean 0 and deviation "
                        "1; `none`, the default, does not scale. Each client scales by its own "
                        "data: if the ranges of clients differ, scale in the model instead.",
                    .choices = data_choices::scale,
                    .example = "\"standard\""},
    config::Setting{.key = "group",
                    .presence = config::Presence::optional,
                    .meaning = "windows: the column that names the series of a row; no window spans "
                               "two series.",
                    .range = {.least = 1, .most = 256},
                    .example = "\"machine\""},
    config::Setting{
        .key = "window",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning =
            "windows: rows in a window; the model receives columns x rows. text: characters. Required.",
        .unit = "rows",
        .range = data_choices::rows,
        .example = "128"},
    config::Setting{
        .key = "stride",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning =
            "windows, text: rows from the start of one window to the start of the next. Without it: 1.",
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
