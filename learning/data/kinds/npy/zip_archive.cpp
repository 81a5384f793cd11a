#include "learning/data/kinds/npy/zip_archive.h"

#include <zip.h>

namespace hansa::learning::kinds {
namespace {

tl::unexpected<Error> damaged(const std::string& location, const std::string& what) {
  return fail(ErrorCode::data, location, what, "fetch or copy the file again",
              {ReasonCode::data_damaged, {}});
}

// Deflate encodes at most 258 bytes in 2 bits, so that no stream expands more than 1,032 times (zlib's technical notes).
constexpr std::uint64_t deflate_ratio_max = 1032;

}  // namespace

void ZipStream::Close::operator()(zip_file* file) const { zip_fclose(file); }
void ZipArchive::Discard::operator()(zip* archive) const { zip_discard(archive); }

tl::unexpected<Error> ZipStream::bad(const std::string& what) const { return damaged(location_, what); }
tl::unexpected<Error> ZipArchive::bad(const std::string& what) const { return damaged(location_, what); }

Result<void> ZipStream::read(std::span<std::byte> out) {
  while (!out.empty()) {
    const zip_int64_t n = zip_fread(file_.get(), out.data(), out.size());
    if (n < 0) return bad(std::string("is damaged (") + zip_file_strerror(file_.get()) + ")");
    if (n == 0) return bad("ends inside its values");
    out = out.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> ZipStream::expect_end() {
  std::byte more{};
  const zip_int64_t n = zip_fread(file_.get(), &more, 1);
  if (n < 0) return bad(std::string("is damaged (") + zip_file_strerror(file_.get()) + ")");
  if (n > 0) return bad("has more bytes than its header announces");
  return {};
}

Result<ZipArchive> ZipArchive::open(const std::filesystem::path& path) {
  int code = 0;
  zip* archive = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code);
  if (archive != nullptr) return ZipArchive(archive, path.string());
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return damaged(path.string(), "is not a readable zip archive (" + message + ")");
}

std::uint64_t ZipArchive::member_count() const {
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

Result<ZipMember> ZipArchive::member(std::uint64_t index) const {
  zip_stat_t stat;
  if (zip_stat_index(archive_.get(), index, 0, &stat) != 0)
    return bad(std::string("is damaged (") + zip_strerror(archive_.get()) + ")");
  constexpr zip_uint64_t needed =
      ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if ((stat.valid & needed) != needed) return bad("has a member without a size");
  if (stat.encryption_method != ZIP_EM_NONE) return bad("is encrypted");
  if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
    return fail(ErrorCode::data, location_, "is compressed in another way than deflate",
                "write it with numpy.savez or numpy.savez_compressed", {ReasonCode::data_damaged, {}});
  if (stat.comp_method == ZIP_CM_STORE ? stat.size != stat.comp_size
                                       : stat.size / deflate_ratio_max > stat.comp_size)
    return bad("claims more bytes than it can hold");
  return ZipMember{stat.name, stat.size};
}

Result<ZipStream> ZipArchive::stream(std::uint64_t index) const {
  zip_file* file = zip_fopen_index(archive_.get(), index, 0);
  if (file == nullptr) return bad(std::string("is damaged (") + zip_strerror(archive_.get()) + ")");
  return ZipStream(file, location_);
}

}  // namespace hansa::learning::kinds
