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

// CMake defines HANSA_HAS_... if it finds the libraries of the kind.
#ifdef HANSA_HAS_HDF5
constexpr auto open_hdf5 = &kinds::open_hdf5;
#else
constexpr decltype(&kinds::open_hdf5) open_hdf5 = nullptr;
#endif
#ifdef HANSA_HAS_IMAGES
constexpr auto open_images = &kinds::open_images;
#else
constexpr decltype(&kinds::open_images) open_images = nullptr;
#endif
#ifdef HANSA_HAS_NPY
constexpr auto open_npy = &kinds::open_npy;
#else
constexpr decltype(&kinds::open_npy) open_npy = nullptr;
#endif

#ifdef HANSA_HAS_AUDIO
constexpr auto open_audio = &kinds::open_audio;
#else
constexpr decltype(&kinds::open_audio) open_audio = nullptr;
#endif

constexpr std::array all{
    Kind{"audio", open_audio, "libsndfile1-dev and libkissfft-dev"},
    Kind{"cifar", &kinds::open_cifar, ""},
    Kind{"hdf5", open_hdf5, "libhdf5-dev"},
    Kind{"images", open_images, "libturbojpeg0-dev, libpng-dev and libexif-dev"},
    Kind{"jsonl", &kinds::open_jsonl, ""},
    Kind{"npy", open_npy, "libzip-dev"},
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
