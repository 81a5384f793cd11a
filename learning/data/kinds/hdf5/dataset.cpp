#include "learning/data/kinds/hdf5/dataset.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <hdf5.h>

#include "common/text.h"
#include "learning/data/kinds/hdf5/error_stack.h"

namespace hansa::learning::kinds {
namespace {

struct MemoryType {
  NumberType type;
  hid_t id;
};

// h5py stores booleans as an enumeration of FALSE and TRUE.
bool is_boolean(hid_t type) {
  if (H5Tget_nmembers(type) != 2 || H5Tget_size(type) != 1) return false;
  for (const auto& [index, wanted] : {std::pair(0U, "FALSE"), std::pair(1U, "TRUE")}) {
    const std::unique_ptr<char, decltype(&H5free_memory)> name(H5Tget_member_name(type, index),
                                                               &H5free_memory);
    if (name == nullptr || std::strcmp(name.get(), wanted) != 0) return false;
  }
  return true;
}

std::optional<MemoryType> integer_type(hid_t type) {
  const bool has_sign = H5Tget_sign(type) == H5T_SGN_2;
  switch (H5Tget_size(type)) {
    case 1:
      return has_sign ? MemoryType{NumberType::int8, H5T_NATIVE_INT8}
                      : MemoryType{NumberType::uint8, H5T_NATIVE_UINT8};
    case 2:
      return has_sign ? MemoryType{NumberType::int16, H5T_NATIVE_INT16}
                      : MemoryType{NumberType::uint16, H5T_NATIVE_UINT16};
    case 4:
      return has_sign ? MemoryType{NumberType::int32, H5T_NATIVE_INT32}
                      : MemoryType{NumberType::uint32, H5T_NATIVE_UINT32};
    case 8:
      return has_sign ? MemoryType{NumberType::int64, H5T_NATIVE_INT64}
                      : MemoryType{NumberType::uint64, H5T_NATIVE_UINT64};
    default: return std::nullopt;
  }
}

std::optional<MemoryType> memory_type_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: return integer_type(type);
    case H5T_FLOAT: return MemoryType{NumberType::float32, H5T_NATIVE_FLOAT};
    case H5T_ENUM:
      if (!is_boolean(type)) return std::nullopt;
      return MemoryType{NumberType::boolean, H5T_NATIVE_INT8};
    case H5T_BITFIELD:  // the booleans of PyTables
      if (H5Tget_size(type) != 1) return std::nullopt;
      return MemoryType{NumberType::boolean, H5T_NATIVE_B8};
    default: return std::nullopt;
  }
}

const char* name_of(H5T_class_t type) {
  switch (type) {
    case H5T_STRING: return "text";
    case H5T_COMPOUND: return "records of several fields";
    case H5T_ENUM: return "an enumeration";
    case H5T_VLEN: return "arrays of variable length";
    case H5T_REFERENCE: return "references";
    case H5T_ARRAY: return "small arrays as values";
    default: return "values that are not numbers";
  }
}

// Nothing outside of the file that the configuration names is read.
herr_t refuse_external_link(const char* /*parent_file*/, const char* /*parent_group*/, const char* /*file*/,
                            const char* /*object*/, unsigned* /*flags*/, hid_t /*access*/, void* /*data*/) {
  return -1;
}

}  // namespace

Hdf5Dataset::Hdf5Dataset(Hdf5Handle dataset, std::string location)
    : dataset_(std::move(dataset)), location_(std::move(location)) {}

tl::unexpected<Error> Hdf5Dataset::bad(std::string what, std::string hint) const {
  return fail(ErrorCode::data, location_, std::move(what), std::move(hint), {ReasonCode::data_damaged, {}});
}

Result<Hdf5Dataset> Hdf5Dataset::open(const Hdf5Handle& file, const std::string& location,
                                      const std::string& path, std::string name) {
  const Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_elink_cb(access.get(), refuse_external_link, nullptr);
  Hdf5Dataset out(Hdf5Handle(H5Dopen2(file.get(), path.c_str(), access.get()), H5Dclose),
                  location + ": \"" + path + "\"");
  if (!out.dataset_) {
    const std::string message = hdf5_message();  // the next call of the library clears it
    return fail(ErrorCode::data, location, "has no dataset \"" + path + "\" (" + message + ")",
                hint_of_datasets(file), {ReasonCode::column_missing, {}});
  }
  out.spec_.name = std::move(name);
  HANSA_TRY_VOID(
      out.check_place());  // first, because the shape of a virtual dataset is read from other files
  HANSA_TRY_VOID(out.read_type());
  HANSA_TRY_VOID(out.read_shape());
  HANSA_TRY_VOID(out.check_storage());
  return out;
}

Result<void> Hdf5Dataset::read_type() {
  const Hdf5Handle type(H5Dget_type(dataset_.get()), H5Tclose);
  if (!type) return bad("is damaged (" + hdf5_message() + ")", "fetch or copy the file again");
  const std::optional<MemoryType> found = memory_type_of(type.get());
  if (!found)
    return bad(std::string("holds ") + name_of(H5Tget_class(type.get())),
               "store numbers; of classes, their indices from 0");
  spec_.type = found->type;
  memory_type_ = found->id;
  return {};
}

Result<void> Hdf5Dataset::read_shape() {
  const Hdf5Handle space(H5Dget_space(dataset_.get()), H5Sclose);
  std::array<hsize_t, H5S_MAX_RANK> shape{};
  const int rank = space ? H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr) : -1;
  if (rank < 0) return bad("is damaged (" + hdf5_message() + ")", "fetch or copy the file again");
  if (H5Sget_simple_extent_type(space.get()) == H5S_NULL)
    return bad("is empty", "store all of it, or leave it out");
  spec_.shape.assign(shape.begin(), shape.begin() + rank);
  return {};
}

Result<void> Hdf5Dataset::check_filters(const Hdf5Handle& properties) const {
  const int count = H5Pget_nfilters(properties.get());
  for (int i = 0; i < count; ++i) {
    std::array<char, 64> name{};
    std::size_t values = 0;
    unsigned flags = 0;
    const H5Z_filter_t filter = H5Pget_filter2(properties.get(), static_cast<unsigned>(i), &flags, &values,
                                               nullptr, name.size() - 1, name.data(), nullptr);
    if (filter < 0 || H5Zfilter_avail(filter) <= 0)
      return bad("is compressed with the filter " + std::to_string(filter) + " (" + printable(name.data()) +
                     "), which is not installed",
                 "compress it with gzip, or install the filter's plugin for HDF5");
  }
  return {};
}

// The sizes that the file claims must fit what it stores: deflate, the strongest of the usual filters, compresses at most
// 1,032 times (zlib's technical notes).
Result<void> Hdf5Dataset::check_size(std::uint64_t chunk_bytes) const {
  constexpr std::uint64_t ratio_max = 1032;
  constexpr std::uint64_t small = 1U << 20;
  const std::optional<std::uint64_t> bytes = array_bytes(spec_.type, spec_.shape);
  const std::uint64_t stored = std::min<std::uint64_t>(H5Dget_storage_size(dataset_.get()), 1ULL << 48);
  for (const std::optional<std::uint64_t> claimed : {bytes, std::optional(chunk_bytes)})
    if (!claimed || *claimed > stored * ratio_max + small)
      return bad("claims more values than it stores", "write all of its values");
  return {};
}

Result<void> Hdf5Dataset::check_place() {
  const Hdf5Handle properties(H5Dget_create_plist(dataset_.get()), H5Pclose);
  if (!properties) return bad("is damaged (" + hdf5_message() + ")", "fetch or copy the file again");
  if (H5Pget_layout(properties.get()) == H5D_VIRTUAL || H5Pget_external_count(properties.get()) > 0)
    return bad("stores its values in other files", "copy it into one file, for example with h5repack");
  return {};
}

Result<void> Hdf5Dataset::check_storage() {
  const Hdf5Handle properties(H5Dget_create_plist(dataset_.get()), H5Pclose);
  if (!properties) return bad("is damaged (" + hdf5_message() + ")", "fetch or copy the file again");
  const H5D_layout_t layout = H5Pget_layout(properties.get());
  HANSA_TRY_VOID(check_filters(properties));
  std::uint64_t chunk_bytes = 0;
  if (layout == H5D_CHUNKED) {
    std::array<hsize_t, H5S_MAX_RANK> chunk{};
    const int rank = H5Pget_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data());
    if (rank < 1) return bad("is damaged (" + hdf5_message() + ")", "fetch or copy the file again");
    chunk_examples_ = chunk[0];
    const std::vector<std::uint64_t> dimensions(chunk.begin(), chunk.begin() + rank);
    chunk_bytes = array_bytes(spec_.type, dimensions).value_or(~0ULL);
  }
  return check_size(chunk_bytes);
}

Result<Array> Hdf5Dataset::read(std::uint64_t count) const {
  const std::uint64_t example_bytes = spec_.example_bytes();
  std::vector<std::byte> values;
  // Whole chunks at a time, so that none is decompressed twice.
  constexpr std::uint64_t step_bytes = 16U << 20;
  const std::uint64_t chunks = std::max<std::uint64_t>(1, step_bytes / example_bytes / chunk_examples_);
  const std::uint64_t step = std::min(count, chunks * std::min(count, chunk_examples_));
  for (std::uint64_t begin = 0; begin < count; begin += step) {
    const std::uint64_t examples = std::min(step, count - begin);
    values.resize(static_cast<std::size_t>((begin + examples) * example_bytes));
    HANSA_TRY_VOID(read_part(begin, examples, values.data() + begin * example_bytes));
  }
  auto memory = std::make_shared<const HeldValues>(std::move(values));
  return Array{spec_, std::endian::native, memory->bytes(), memory};
}

Result<void> Hdf5Dataset::read_part(std::uint64_t begin, std::uint64_t count, std::byte* to) const {
  std::vector<hsize_t> start(spec_.shape.size(), 0);
  std::vector<hsize_t> extent(spec_.shape.begin(), spec_.shape.end());
  start[0] = begin;
  extent[0] = count;
  const Hdf5Handle space(H5Dget_space(dataset_.get()), H5Sclose);
  const Hdf5Handle memory(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr),
                          H5Sclose);
  if (space && memory &&
      H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr) >= 0 &&
      H5Dread(dataset_.get(), memory_type_, memory.get(), space.get(), H5P_DEFAULT, to) >= 0)
    return {};
  return bad("cannot be read (" + hdf5_message() + ")", "fetch or copy the file again");
}

std::string hint_of_datasets(const Hdf5Handle& file) {
  struct Found {
    std::vector<std::string> datasets;
    int visited = 0;
  } found;
  // The type of `info` differs between versions of the library.
  const auto visit = [](hid_t, const char* name, const auto* info, void* data) -> herr_t {
    auto& out = *static_cast<Found*>(data);
    if (info->type == H5O_TYPE_DATASET) out.datasets.emplace_back(printable(name));
    return ++out.visited >= 1000 || out.datasets.size() >= 8 ? 1 : 0;
  };
  H5Ovisit2(file.get(), H5_INDEX_NAME, H5_ITER_INC, visit, &found, H5O_INFO_BASIC);
  if (found.datasets.empty()) return "the file has no dataset";
  std::string out = "datasets of the file: ";
  for (const std::string& name : found.datasets)
    out += (out.ends_with(' ') ? "\"" : ", \"") + name.substr(0, utf8_prefix(name, 64)) + "\"";
  return out;
}

}  // namespace hansa::learning::kinds
