// HDF5 files for tests.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <hdf5.h>

namespace hansa::learning::testing {

// A file that is open for writing until the end of its scope.
class Hdf5File {
 public:
  explicit Hdf5File(const std::filesystem::path& path);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  [[nodiscard]] hid_t id() const { return file_; }

  // Creates a dataset and the groups above it. `type` is its type in the file; properties are closed.
  hid_t create(const std::string& path, hid_t type, const std::vector<hsize_t>& shape, hid_t properties);
  template <class T>
  void write(const std::string& path, hid_t type, const std::vector<hsize_t>& shape, hid_t memory_type,
             const std::vector<T>& values, hid_t properties = no_properties()) {
    const hid_t dataset = create(path, type, shape, properties);
    H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
  }

  [[nodiscard]] static hid_t no_properties() { return H5Pcreate(H5P_DATASET_CREATE); }
  [[nodiscard]] static hid_t chunked(const std::vector<hsize_t>& chunk);
  [[nodiscard]] static hid_t boolean();  // the type of h5py's booleans

 private:
  hid_t file_;
};

}  // namespace hansa::learning::testing
