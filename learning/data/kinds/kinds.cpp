#include "learning/data/kinds/kinds.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "learning/data/kinds/openers.h"

namespace hansa::learning {
namespace {

struct Kind {
  std::string_view name;
  Result<std::unique_ptr<DataSource>> (*open)(const DataConfig&);  // null: it was not built
  std::string_view packages;  // of Debian, that its build needs; empty: none
};

// CMake defines HANSA_HAS_... as 1 if it finds the libraries of the kind, and as 0 otherwise: then the function does not exist.
#define HANSA_OPENER_IF_1(function) function
#define HANSA_OPENER_IF_0(function) nullptr
#define HANSA_OPENER_IF(has, function) HANSA_OPENER_IF_##has(function)
#define HANSA_OPENER(has, function) HANSA_OPENER_IF(has, function)

constexpr std::array all{
    Kind{"audio", HANSA_OPENER(HANSA_HAS_AUDIO, &kinds::open_audio), "libsndfile1-dev and libkissfft-dev"},
    Kind{"cifar", &kinds::open_cifar, ""},
    Kind{"hdf5", HANSA_OPENER(HANSA_HAS_HDF5, &kinds::open_hdf5), "libhdf5-dev"},
    Kind{"images", HANSA_OPENER(HANSA_HAS_IMAGES, &kinds::open_images),
         "libturbojpeg0-dev, libpng-dev and libexif-dev"},
    Kind{"jsonl", &kinds::open_jsonl, ""},
    Kind{"npy", HANSA_OPENER(HANSA_HAS_NPY, &kinds::open_npy), "libzip-dev"},
    Kind{"sqlite", &kinds::open_sqlite, ""},
    Kind{"tokens", &kinds::open_tokens, ""},
};

}  // namespace

std::optional<Result<std::unique_ptr<DataSource>>> open_optional_kind(const DataConfig& config) {
  const auto kind = std::ranges::find(all, config.kind, &Kind::name);
  if (kind == all.end()) return std::nullopt;
  if (kind->open != nullptr) return kind->open(config);
  return fail(ErrorCode::usage, "data.kind", "\"" + config.kind + "\" is not part of this build of Hansa",
              "install " + std::string(kind->packages) + ", and build again");
}

}  // namespace hansa::learning
