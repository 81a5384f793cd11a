// Kind "hdf5": datasets of an HDF5 file, read into memory: the locked trainer can open no file, and the library may read
// one from one thread at a time.
#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <hdf5.h>

#include "learning/data/kinds/arrays/array_rules.h"
#include "learning/data/kinds/arrays/arrays_source.h"
#include "learning/data/kinds/hdf5/dataset.h"
#include "learning/data/kinds/hdf5/error_stack.h"
#include "learning/data/kinds/hdf5/handle.h"
#include "learning/data/kinds/openers.h"

namespace hansa::learning::kinds {
namespace {

Result<Hdf5Handle> open_file(const DataConfig& config) {
  const auto bad = [&](std::string what, std::string hint, ReasonCode reason) {
    return fail(ErrorCode::data, config.file.string(), std::move(what), std::move(hint), {reason, {}});
  };
  std::error_code error;
  const auto status = std::filesystem::status(config.file, error);
  if (!std::filesystem::exists(status))
    return bad("does not exist", "set data.file to an HDF5 file", ReasonCode::data_unreadable);
  if (!std::filesystem::is_regular_file(status))
    return bad("is not a file", "set data.file to an HDF5 file", ReasonCode::data_unreadable);
  Hdf5Handle out(H5Fopen(config.file.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!out)
    return bad("cannot be opened as an HDF5 file (" + hdf5_message() + ")", "fetch or copy the file again",
               ReasonCode::data_damaged);
  return out;
}

// The last part of a path of datasets.
std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Opens the datasets of the inputs and, at the end, that of the targets.
Result<std::vector<Hdf5Dataset>> open_datasets(const Hdf5Handle& file, const DataConfig& config) {
  const std::string location = config.file.string();
  std::vector<Hdf5Dataset> out;
  for (const std::string& path : config.columns) {
    const std::string name = last_part(path);
    if (!is_argument_name(name))
      return fail(ErrorCode::usage, "data.columns", "has \"" + path + "\", which ends in no argument's name",
                  "name the path of a dataset, for example \"/train/x\"");
    const bool is_taken =
        name == "y" || std::ranges::any_of(out, [&](const Hdf5Dataset& d) { return d.spec().name == name; });
    if (is_taken)
      return fail(
          ErrorCode::usage, "data.columns", "gives two tensors the name \"" + name + "\"",
          "the name is the last part of the path, and that of the targets is \"y\": rename a dataset");
    HANSA_TRY(Hdf5Dataset dataset, Hdf5Dataset::open(file, location, path, name));
    out.push_back(std::move(dataset));
  }
  HANSA_TRY(Hdf5Dataset label, Hdf5Dataset::open(file, location, config.label, "y"));
  out.push_back(std::move(label));
  return out;
}

Result<void> check_bytes(const std::vector<ArraySpec>& specs, std::uint64_t count,
                         const std::string& location) {
  std::uint64_t bytes = 0;
  for (const ArraySpec& spec : specs) {
    if (spec.example_bytes() > (held_bytes_max - bytes) / count)
      return fail(ErrorCode::data, location, "holds more than 4 GiB in these datasets",
                  "set data.examples_max, or save the inputs in an .npy file, which is not read into memory",
                  {ReasonCode::data_too_large, {}});
    bytes += spec.example_bytes() * count;
  }
  return {};
}

Result<std::unique_ptr<DataSource>> open_quietly(const DataConfig& config) {
  const std::string location = config.file.string();
  HANSA_TRY(const Hdf5Handle file, open_file(config));
  HANSA_TRY(const std::vector<Hdf5Dataset> datasets, open_datasets(file, config));
  std::vector<ArraySpec> specs;
  for (const Hdf5Dataset& dataset : datasets) specs.push_back(dataset.spec());
  HANSA_TRY(const std::uint64_t count, count_examples(specs, location, config.examples_max));
  HANSA_TRY_VOID(check_bytes(specs, count, location));
  NamedArrays arrays;
  for (const Hdf5Dataset& dataset : datasets) {
    HANSA_TRY(Array array, dataset.read(count));
    (&dataset == &datasets.back() ? arrays.targets : arrays.inputs).push_back(std::move(array));
  }
  return make_arrays_source(location, std::move(arrays), count);
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_hdf5(const DataConfig& config) {
  if (config.columns.empty() || config.columns.size() >= arrays_max)
    return fail(ErrorCode::usage, "data.columns",
                "has " + std::to_string(config.columns.size()) + " datasets, and 1 to 15 are possible",
                "name the paths of the input datasets");
  if (config.label.empty())
    return fail(ErrorCode::usage, "data.label", "is not set", "name the path of the dataset of the targets");
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const Hdf5Quiet quiet;
  return open_quietly(config);
}

}  // namespace hansa::learning::kinds
