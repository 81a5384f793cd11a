#include "learning/data/data_settings.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "common/spelling.h"
#include "learning/data/data_source.h"

namespace hansa::learning {
namespace {

using config::Document;

// The kinds that read a key, separated by spaces; "own" stands for the kinds of plugins and programs.
struct Use {
  std::string_view key;
  std::string_view required_by;
  std::string_view read_by;
};
constexpr std::array uses{
    Use{"images", "idx", ""},
    Use{"labels", "idx", "npy"},
    Use{"file", "csv windows tensors text tokens npy hdf5 cifar sqlite jsonl", "images audio own"},
    Use{"class_folders", "", "images audio"},
    Use{"columns", "hdf5", "csv windows sqlite jsonl images audio own"},
    Use{"label", "csv windows sqlite jsonl hdf5", "images audio cifar own"},
    Use{"target", "", "csv windows sqlite jsonl"},
    Use{"classes", "", "csv windows sqlite jsonl images audio own"},
    Use{"delimiter", "", "csv windows"},
    Use{"missing", "", "csv windows"},
    Use{"missing_words", "", "csv windows"},
    Use{"scale", "", "csv windows idx tensors images audio npy hdf5 cifar sqlite jsonl own"},
    Use{"group", "", "csv windows"},
    Use{"window", "windows text tokens audio", "own"},
    Use{"stride", "", "windows text tokens audio own"},
    Use{"horizon", "", "windows"},
    Use{"size", "images", ""},
    Use{"color", "", "images"},
    Use{"augment", "", "images"},
    Use{"sequences", "", "csv jsonl"},
    Use{"length", "", "csv jsonl"},
    Use{"query", "sqlite", ""},
    Use{"tokenizer", "", "tokens"},
    Use{"rate", "", "audio"},
    Use{"features", "", "audio"},
    Use{"mels", "", "audio"},
    Use{"damaged_max", "", "images audio"},
    Use{"plugin", "", "own"},
    Use{"options", "", "own"},
};

bool names(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t space = std::min(list.find(' '), list.size());
    if (list.substr(0, space) == word) return true;
    list.remove_prefix(std::min(space + 1, list.size()));
  }
  return false;
}

std::string_view example_of(std::string_view key) {
  return std::ranges::find(data_settings, key, &config::Setting::key)->example;
}

Result<void> check_keys(const Document& document, std::string_view table, const std::string& kind,
                        DataFile file) {
  const std::string_view as = is_built_in_data_kind(kind) ? std::string_view(kind) : "own";
  for (const Use& use : uses) {
    const std::string key = std::string(table) + "." + std::string(use.key);
    const bool required = names(use.required_by, as);
    if (required && use.key == "file" && file == DataFile::arrives) continue;
    if (required && !document.has(key))
      return fail(ErrorCode::usage, document.location(key), "is missing",
                  "kind \"" + kind + "\" needs it: add \"" + std::string(use.key) + " = " +
                      std::string(example_of(use.key)) + "\" below [" + std::string(table) + "]");
    if (!required && !names(use.read_by, as) && document.has(key))
      return fail(ErrorCode::usage, document.location(key), "does not apply to data of kind \"" + kind + "\"",
                  "remove it, or change " + std::string(table) + ".kind");
  }
  return {};
}

// Writes the key's value to out, if the key has one.
void set(const Document& document, const std::string& key, std::string& out) {
  if (document.has(key)) out = document.text(key);
}
void set(const Document& document, const std::string& key, std::filesystem::path& out) {
  if (document.has(key)) out = document.path(key);
}
void set(const Document& document, const std::string& key, std::uint32_t& out) {
  if (document.has(key)) out = static_cast<std::uint32_t>(document.integer(key));
}
void set(const Document& document, const std::string& key, std::vector<std::string>& out) {
  if (document.has(key)) out = document.texts(key);
}
template <std::size_t N, class T>
void set(const Document& document, const std::string& key, const std::array<std::string_view, N>& choices,
         T& out) {
  if (document.has(key))
    out = static_cast<T>(std::ranges::find(choices, document.text(key)) - choices.begin());
}

// The keys of examples of variable length.
Result<void> check_variable_length(const Document& document, std::string_view table, const DataConfig& data) {
  const auto key = [&](std::string_view name) { return std::string(table) + "." + std::string(name); };
  const bool has_series = data.kind == "csv" && document.has(key("group"));
  const bool has_length = document.has(key("length"));
  if (has_series && document.has(key("sequences")))
    return fail(ErrorCode::usage, document.location(key("group")), "is set together with sequences",
                "keep sequences if each row has lists, or group if each row has one value of a series");
  if ((has_series || document.has(key("sequences"))) != has_length)
    return fail(
        ErrorCode::usage, document.location(key(has_length ? "sequences" : "length")), "is missing",
        has_series ? "set length, the most rows of a series" : "set both sequences and length, or neither");
  if (has_series && data.scale == Scaling::federation)
    return fail(ErrorCode::usage, document.location(key("scale")),
                "is \"federation\", which would count the zeros behind the series of group",
                "use \"standard\", or scale in the model");
  if (data.kind == "csv" && has_length && !has_series && data.scale == Scaling::standard)
    return fail(ErrorCode::usage, document.location(key("scale")),
                "is \"standard\", which does not apply to sequences", "remove it, and scale in the model");
  return {};
}

std::optional<std::string> first_repeated(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  const auto found = std::ranges::adjacent_find(texts);
  return found == texts.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

Result<DataConfig> read_data_config(const Document& document, std::string_view table, DataFile file) {
  const auto key = [&](std::string_view name) { return std::string(table) + "." + std::string(name); };
  DataConfig out;
  out.kind = document.text(key("kind"));
  set(document, key("plugin"), out.plugin);
  if (out.plugin.empty()) {
    const std::vector<std::string> kinds = data_kinds();
    if (std::ranges::find(kinds, out.kind) == kinds.end())
      return fail(ErrorCode::usage, document.location(key("kind")),
                  "is \"" + out.kind + "\", which is not a kind of data", unknown_data_kind_hint(out.kind));
  }
  HANSA_TRY_VOID(check_keys(document, table, out.kind, file));
  set(document, key("images"), out.images);
  set(document, key("labels"), out.labels);
  set(document, key("file"), out.file);
  set(document, key("class_folders"), out.class_folders);
  set(document, key("columns"), out.columns);
  set(document, key("label"), out.label);
  set(document, key("target"), data_choices::target, out.target);
  set(document, key("classes"), out.classes);
  set(document, key("delimiter"), out.delimiter);
  set(document, key("missing"), data_choices::missing, out.missing);
  set(document, key("missing_words"), out.missing_words);
  set(document, key("scale"), data_choices::scale, out.scale);
  set(document, key("group"), out.group);
  set(document, key("window"), out.window);
  // Examples of these kinds do not overlap, unless the configuration asks for it.
  if (out.kind == "tokens" || out.kind == "audio") out.stride = out.window;
  set(document, key("stride"), out.stride);
  set(document, key("horizon"), out.horizon);
  set(document, key("size"), out.size);
  set(document, key("color"), data_choices::color, out.color);
  set(document, key("augment"), out.augment);
  set(document, key("sequences"), out.sequences);
  set(document, key("length"), out.length);
  HANSA_TRY_VOID(check_variable_length(document, table, out));
  set(document, key("query"), out.query);
  set(document, key("tokenizer"), out.tokenizer);
  set(document, key("rate"), out.rate);
  set(document, key("features"), data_choices::features, out.features);
  set(document, key("mels"), out.mels);
  constexpr double damaged_max = 0.01;  // of training data
  if (table != "evaluation" && (out.kind == "images" || out.kind == "audio")) out.damaged_max = damaged_max;
  if (document.has(key("damaged_max"))) out.damaged_max = document.number(key("damaged_max"));
  set(document, key("options"), out.options);
  out.examples_max = document.integer(key("examples_max"));
  for (const auto& [name, texts] : {std::pair("columns", &out.columns), std::pair("classes", &out.classes),
                                    std::pair("sequences", &out.sequences)})
    if (const auto repeated = first_repeated(*texts))
      return fail(ErrorCode::usage, document.location(key(name)), "names \"" + *repeated + "\" twice",
                  "name each once");
  for (const std::string& change : out.augment)
    if (std::ranges::find(data_choices::augment, change) == data_choices::augment.end())
      return fail(ErrorCode::usage, document.location(key("augment")),
                  "has \"" + change + "\", which is no change of images",
                  "use \"flip\", \"crop\" and \"jitter\"");
  if (!out.class_folders.empty())
    for (const char* name : {"columns", "label"})
      if (document.has(key(name)))
        return fail(ErrorCode::usage, document.location(key(name)), "is set together with class_folders",
                    "remove it: the folders are the labels");
  if (document.has(key("mels")) && out.features == AudioFeatures::wave)
    return fail(ErrorCode::usage, document.location(key("mels")), "is set without features = \"log-mel\"",
                "remove it, or set features");
  if (out.scale == Scaling::standard && out.kind != "csv" && out.kind != "windows")
    return fail(ErrorCode::usage, document.location(key("scale")),
                "is \"standard\", which does not apply to data of kind \"" + out.kind + "\"",
                "use \"federation\", remove it, or change " + std::string(table) + ".kind");
  if (!out.augment.empty() && table == "evaluation")
    return fail(ErrorCode::usage, document.location(key("augment")),
                "does not apply to images that are evaluated", "remove it");
  if ((out.kind == "images" || out.kind == "audio") && out.file.empty() == out.class_folders.empty())
    return fail(ErrorCode::usage, document.location(key("kind")),
                "is \"" + out.kind + "\", which needs either file or class_folders", "set one of the two");
  if (out.target == TargetKind::real && !out.classes.empty())
    return fail(ErrorCode::usage, document.location(key("classes")), "is set together with target = \"real\"",
                "remove one of the two");
  return out;
}

}  // namespace hansa::learning
