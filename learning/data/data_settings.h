// The keys of [data] in client.toml and of [evaluation] in federation.toml that name examples.
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
            "Format of the data: `idx` (files of the MNIST family), `csv` (an example a row), `windows` "
            "(sliding windows over the rows of a CSV file), `tensors` (a `torch.save`d dict of tensors `x` "
            "and `y`), "
            "`text` (the next character), or the name that a plugin registers. Files may be gzipped, but for "
            "`tensors`. Each key below says for which kinds it is; it is refused beside another.",
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
    config::Setting{
        .key = "file",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning = "csv, windows, tensors, text: the file. Required. Plugins: what they make of it.",
        .example = "\"data/patients.csv\""},
    config::Setting{
        .key = "columns",
        .kind = config::Kind::texts,
        .presence = config::Presence::optional,
        .meaning = "csv, windows: names of the input columns, in the order in which the model takes them. "
                   "Without it: all columns but `label` and `group`, in the file's order.",
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
                        "csv, windows: the labels as they stand in the file; the first is class 0. The same "
                        "list on all clients. Without it labels are whole numbers from 0.",
                    .range = {.least = 1, .most = 256},
                    .example = "[\"benign\", \"malignant\"]"},
    config::Setting{.key = "delimiter",
                    .presence = config::Presence::optional,
                    .meaning = "csv, windows: the character between fields; without it a comma.",
                    .range = {.least = 1, .most = 1},
                    .example = "\";\""},
    config::Setting{
        .key = "missing",
        .kind = config::Kind::choice,
        .presence = config::Presence::optional,
        .meaning =
            "csv, windows: what becomes of an input that is empty, `NA`, `NaN`, `null` or `?`. "
            "`refuse` (the default): the file is refused, with the line. `skip`: the row is left "
            "out; windows do not reach across it. `zero`, `mean`: it is replaced, the mean being that of "
            "this file's column. A missing label is refused or skipped.",
        .choices = data_choices::missing,
        .example = "\"mean\""},
    config::Setting{.key = "scale",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning =
                        "csv, windows: `standard` gives each input column of this file mean 0 and deviation "
                        "1; `none`, the default, leaves values as they are. Each client scales by its own "
                        "data: where clients' ranges differ, scale in the model instead.",
                    .choices = data_choices::scale,
                    .example = "\"standard\""},
    config::Setting{.key = "group",
                    .presence = config::Presence::optional,
                    .meaning =
                        "windows: a column that says to which series a row belongs; a window does not reach "
                        "from one series into the next.",
                    .range = {.least = 1, .most = 256},
                    .example = "\"machine\""},
    config::Setting{
        .key = "window",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning = "windows: rows in a window; the model gets columns x rows. text: characters. Required.",
        .unit = "rows",
        .range = data_choices::rows,
        .example = "128"},
    config::Setting{
        .key = "stride",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning = "windows, text: rows from the start of a window to that of the next; without it 1.",
        .unit = "rows",
        .range = data_choices::rows,
        .example = "64"},
    config::Setting{
        .key = "horizon",
        .kind = config::Kind::integer,
        .presence = config::Presence::optional,
        .meaning = "windows: the label is taken from so many rows after the window's last; without it 0, "
                   "the last row itself.",
        .unit = "rows",
        .range = {.least = 0, .most = 1'000'000},
        .example = "1"},
    config::Setting{.key = "plugin",
                    .kind = config::Kind::path,
                    .presence = config::Presence::optional,
                    .meaning = "A shared library that brings the kind of data that `kind` names.",
                    .example = "\"/usr/local/lib/libcamera_data.so\""},
    config::Setting{.key = "options",
                    .presence = config::Presence::optional,
                    .meaning = "Plugins: a text that the plugin understands.",
                    .range = {.least = 1, .most = 4'096},
                    .example = "\"crop=96\""},
    config::Setting{.key = "examples_max",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "0",
                    .meaning = "Use only the first so many examples; 0 for all.",
                    .unit = "examples",
                    .range = {.least = 0, .most = 4'294'967'295},
                    .example = "5000"},
};

// Whether the configuration names the file itself, or files and rows come otherwise (follow/).
enum class DataFile : std::uint8_t { named, arrives };
// What document says in table, whose settings begin with those above. Fails (usage) on a kind that does
// not exist, a key that its kind does not read, and one that it needs and that is missing.
[[nodiscard]] Result<DataConfig> read_data_config(const config::Document& document, std::string_view table,
                                                  DataFile file = DataFile::named);

}  // namespace hansa::learning
