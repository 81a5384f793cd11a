#include "tests/data/kinds/npy_files.h"

#include <stdexcept>

#include <zip.h>

namespace hansa::learning::testing {

Bytes npy_bytes_with_dict(std::string dict, const Bytes& values, std::uint8_t version) {
  const std::size_t start = version == 1 ? 10 : 12;
  while ((start + dict.size() + 1) % 64 != 0) dict += ' ';
  dict += '\n';
  Bytes out{0x93, 'N', 'U', 'M', 'P', 'Y', version, 0};
  for (std::size_t i = 0; i < start - 8; ++i) out.push_back(static_cast<std::uint8_t>(dict.size() >> 8 * i));
  out.insert(out.end(), dict.begin(), dict.end());
  out.insert(out.end(), values.begin(), values.end());
  return out;
}

Bytes npy_bytes(const NpyText& text, const Bytes& values) {
  return npy_bytes_with_dict("{'descr': '" + text.descriptor + "', 'fortran_order': " + text.fortran_order +
                                 ", 'shape': " + text.shape + ", }",
                             values, text.version);
}

void write_zip(const std::filesystem::path& path, const std::vector<ZipEntry>& entries,
               Compression compression) {
  constexpr zip_int32_t methods[]{ZIP_CM_STORE, ZIP_CM_DEFLATE, ZIP_CM_BZIP2};
  int code = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (archive == nullptr) throw std::runtime_error("cannot create a zip archive");
  for (const ZipEntry& entry : entries) {
    zip_source_t* source = zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, entry.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0 || zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                                              methods[static_cast<int>(compression)], 9) != 0)
      throw std::runtime_error("cannot add to a zip archive");
  }
  if (zip_close(archive) != 0) throw std::runtime_error("cannot write a zip archive");
}

}  // namespace hansa::learning::testing
