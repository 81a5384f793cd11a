#include "learning/data/kinds/npy/npz_file.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/text.h"
#include "learning/data/kinds/arrays/array_rules.h"
#include "learning/data/kinds/npy/npy_array.h"
#include "learning/data/kinds/npy/npy_header.h"
#include "learning/data/kinds/npy/zip_archive.h"

namespace hansa::learning::kinds {
namespace {

constexpr const char* write_hint = "write it with numpy.savez(file, x=x, y=y)";

struct Member {
  NpyHeader header;
  ArraySpec spec;
  std::string location;
};

// The name of the array in the file of this name.
Result<std::string> array_name(std::string_view file, const std::string& location) {
  const std::string shown = printable(file.substr(0, 64));
  if (!file.ends_with(".npy"))
    return fail(ErrorCode::data, location, "holds \"" + shown + "\", which is not an array",
                std::string(write_hint) + "; data of torch.save has kind \"tensors\"",
                {ReasonCode::data_damaged, {}});
  std::string name(file.substr(0, file.size() - 4));
  if (!is_argument_name(name))
    return fail(ErrorCode::data, location, "has an array whose name is no argument's", write_hint,
                {ReasonCode::data_damaged, {}});
  return name;
}

Result<Member> read_header(const ZipArchive& archive, std::uint64_t index, const std::string& location) {
  HANSA_TRY(const ZipMember file, archive.member(index));
  HANSA_TRY(std::string name, array_name(file.name, location));
  HANSA_TRY(ZipStream stream, archive.stream(index));
  std::vector<std::byte> start(
      static_cast<std::size_t>(std::min<std::uint64_t>(file.bytes, npy_header_bytes_max)));
  HANSA_TRY_VOID(stream.read(start));
  std::string array_location = location + ": array \"" + name + "\"";
  HANSA_TRY(NpyHeader header, parse_npy_header(start, file.bytes, array_location));
  ArraySpec spec{std::move(name), header.type, header.shape};
  return Member{std::move(header), std::move(spec), std::move(array_location)};
}

Result<std::vector<Member>> read_headers(const ZipArchive& archive, const std::string& location) {
  const std::uint64_t count = archive.member_count();
  if (count == 0)
    return fail(ErrorCode::data, location, "has no array", write_hint, {ReasonCode::data_damaged, {}});
  if (count > arrays_max)
    return fail(ErrorCode::data, location, "has " + std::to_string(count) + " arrays, and 16 are the most",
                "save fewer of them in the file", {ReasonCode::data_damaged, {}});
  std::vector<Member> out;
  for (std::uint64_t index = 0; index < count; ++index) {
    HANSA_TRY(Member member, read_header(archive, index, location));
    for (const Member& other : out)
      if (other.spec.name == member.spec.name)
        return fail(ErrorCode::data, location, "has two arrays \"" + other.spec.name + "\"", write_hint,
                    {ReasonCode::data_damaged, {}});
    out.push_back(std::move(member));
  }
  return out;
}

// Bytes of values that are read for the first `count` examples.
std::uint64_t bytes_to_read(const Member& member, std::uint64_t count) {
  return member.header.order == ValueOrder::c ? count * member.spec.example_bytes()
                                              : member.header.value_bytes;
}

Result<Array> read_array(const ZipArchive& archive, std::uint64_t index, Member member, std::uint64_t count) {
  HANSA_TRY(ZipStream stream, archive.stream(index));
  std::vector<std::byte> header(member.header.bytes);
  HANSA_TRY_VOID(stream.read(header));
  const std::uint64_t bytes = bytes_to_read(member, count);
  std::vector<std::byte> values;
  while (values.size() < bytes) HANSA_TRY_VOID(stream.read(grow(values, bytes)));
  if (bytes == member.header.value_bytes) HANSA_TRY_VOID(stream.expect_end());
  auto memory = std::make_shared<const HeldValues>(std::move(values));
  return npy_array(std::move(member.spec), member.header, memory->bytes(), memory, count, member.location);
}

}  // namespace

Result<NpzArrays> read_npz(const std::filesystem::path& path, std::uint64_t examples_max) {
  const std::string location = path.string();
  HANSA_TRY(const ZipArchive archive, ZipArchive::open(path));
  HANSA_TRY(std::vector<Member> members, read_headers(archive, location));
  std::vector<ArraySpec> specs;
  for (const Member& member : members) specs.push_back(member.spec);
  if (std::ranges::all_of(specs, is_target_name, &ArraySpec::name))
    return fail(ErrorCode::data, location, "has no array \"x\"", write_hint, {ReasonCode::data_damaged, {}});
  NpzArrays out;
  HANSA_TRY(out.count, count_examples(specs, location, examples_max));
  std::uint64_t bytes = 0;
  for (const Member& member : members) {
    bytes += bytes_to_read(member, out.count);
    if (bytes > held_bytes_max)
      return fail(ErrorCode::data, location, "holds more than 4 GiB",
                  "save the inputs in an .npy file, which is not read into memory, or set data.examples_max",
                  {ReasonCode::data_too_large, {}});
  }
  for (std::uint64_t index = 0; index < members.size(); ++index) {
    HANSA_TRY(Array array, read_array(archive, index, std::move(members[index]), out.count));
    auto& list = is_target_name(array.spec.name) ? out.arrays.targets : out.arrays.inputs;
    list.push_back(std::move(array));
  }
  return out;
}

}  // namespace hansa::learning::kinds
