// Kind "npy": arrays of NumPy.
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "learning/data/kinds/arrays/array_rules.h"
#include "learning/data/kinds/arrays/arrays_source.h"
#include "learning/data/kinds/arrays/mapped_file.h"
#include "learning/data/kinds/npy/npy_array.h"
#include "learning/data/kinds/npy/npy_header.h"
#include "learning/data/kinds/npy/npz_file.h"
#include "learning/data/kinds/openers.h"

namespace hansa::learning::kinds {
namespace {

struct MappedArray {
  std::string location;
  std::shared_ptr<const MappedFile> file;
  NpyHeader header;
  ArraySpec spec;
};

Result<MappedArray> map_array(std::shared_ptr<const MappedFile> file, std::string location,
                              std::string name) {
  HANSA_TRY(NpyHeader header, parse_npy_header(file->bytes(), file->bytes().size(), location));
  ArraySpec spec{std::move(name), header.type, header.shape};
  return MappedArray{std::move(location), std::move(file), std::move(header), std::move(spec)};
}

Result<Array> array_of(MappedArray from, std::uint64_t count) {
  const std::span<const std::byte> values = from.file->bytes().subspan(from.header.bytes);
  return npy_array(std::move(from.spec), from.header, values, std::move(from.file), count, from.location);
}

Result<std::unique_ptr<DataSource>> open_npy_files(const DataConfig& config,
                                                   std::shared_ptr<const MappedFile> inputs) {
  const std::string location = config.file.string();
  HANSA_TRY(MappedArray x, map_array(std::move(inputs), location, "x"));
  std::vector<ArraySpec> specs{x.spec};
  std::vector<MappedArray> y;
  if (!config.labels.empty()) {
    HANSA_TRY(std::shared_ptr<const MappedFile> labels,
              MappedFile::open(config.labels, "set data.labels to a file written by numpy.save"));
    HANSA_TRY(MappedArray array, map_array(std::move(labels), config.labels.string(), "y"));
    specs.push_back(array.spec);
    y.push_back(std::move(array));
  }
  HANSA_TRY(const std::uint64_t count, count_examples(specs, location, config.examples_max));
  NamedArrays arrays;
  HANSA_TRY(Array input, array_of(std::move(x), count));
  arrays.inputs.push_back(std::move(input));
  for (MappedArray& from : y) {
    HANSA_TRY(Array target, array_of(std::move(from), count));
    arrays.targets.push_back(std::move(target));
  }
  return make_arrays_source(location, std::move(arrays), count);
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_npy(const DataConfig& config) {
  const std::string location = config.file.string();
  HANSA_TRY(std::shared_ptr<const MappedFile> file,
            MappedFile::open(config.file, "set data.file to a file written by numpy.savez or numpy.save"));
  constexpr std::array zip{std::byte{'P'}, std::byte{'K'}};
  const std::span<const std::byte> bytes = file->bytes();
  if (bytes.size() < 2 || !std::equal(zip.begin(), zip.end(), bytes.begin()))
    return open_npy_files(config, std::move(file));
  if (!config.labels.empty())
    return fail(ErrorCode::usage, "data.labels", "does not apply to an .npz file",
                "remove it; the targets of an .npz file are its array \"y\"");
  HANSA_TRY(NpzArrays npz, read_npz(config.file, config.examples_max));
  return make_arrays_source(location, std::move(npz.arrays), npz.count);
}

}  // namespace hansa::learning::kinds
