#include "tests/data/kinds/hdf5_file.h"

#include <cstdint>
#include <stdexcept>

namespace hansa::learning::testing {

Hdf5File::Hdf5File(const std::filesystem::path& path)
    : file_(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {
  if (file_ < 0) throw std::runtime_error("cannot create an HDF5 file");
}
Hdf5File::~Hdf5File() { H5Fclose(file_); }

hid_t Hdf5File::create(const std::string& path, hid_t type, const std::vector<hsize_t>& shape,
                       hid_t properties) {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t out = H5Dcreate2(file_, path.c_str(), type, space, links, properties, H5P_DEFAULT);
  H5Sclose(space);
  H5Pclose(links);
  H5Pclose(properties);
  if (out < 0) throw std::runtime_error("cannot create a dataset");
  return out;
}

hid_t Hdf5File::chunked(const std::vector<hsize_t>& chunk) {
  const hid_t out = no_properties();
  H5Pset_chunk(out, static_cast<int>(chunk.size()), chunk.data());
  return out;
}

hid_t Hdf5File::boolean() {
  const hid_t out = H5Tenum_create(H5T_STD_I8LE);
  for (const std::int8_t value : {std::int8_t{0}, std::int8_t{1}})
    H5Tenum_insert(out, value == 0 ? "FALSE" : "TRUE", &value);
  return out;
}

}  // namespace hansa::learning::testing
