// The values of [data] and [evaluation]: where the examples of a client, or of the evaluation, come from.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hansa::learning {

enum class TargetKind : std::uint8_t { class_index, real };
enum class MissingValues : std::uint8_t { refuse, skip, zero, mean };
enum class Scaling : std::uint8_t { none, standard, federation };
enum class Color : std::uint8_t { rgb, grey };
enum class AudioFeatures : std::uint8_t { wave, log_mel };

// data_settings.h says what each field means and which kinds read it.
struct DataConfig {
  std::string kind = "idx";
  std::filesystem::path images;
  std::filesystem::path labels;
  std::filesystem::path file;
  std::filesystem::path class_folders;
  std::vector<std::string> columns;  // empty: all columns except label and group
  std::string label;
  TargetKind target = TargetKind::class_index;
  std::vector<std::string> classes;  // empty: labels are integers
  std::string delimiter = ",";
  MissingValues missing = MissingValues::refuse;
  std::vector<std::string> missing_words;  // in addition to the usual ones
  Scaling scale = Scaling::none;
  std::string group;
  std::uint32_t window = 0;
  std::uint32_t stride = 1;
  std::uint32_t horizon = 0;
  std::uint32_t size = 0;
  Color color = Color::rgb;
  std::vector<std::string> augment;  // data_choices::augment
  std::vector<std::string> sequences;  // columns whose arrays have different lengths
  std::uint32_t length = 0;  // to which they are padded
  std::string query;
  std::filesystem::path tokenizer;  // empty: bytes
  std::uint32_t rate = 0;  // 0: that of the first file
  AudioFeatures features = AudioFeatures::wave;
  std::uint32_t mels = 64;
  double damaged_max = 0;  // the fraction of files that may be damaged; if it is not 0, one file always may
  std::filesystem::path plugin;
  std::string options;
  std::uint64_t examples_max = 0;  // use only the first examples_max examples; 0: all
};

}  // namespace hansa::learning
