// The records of a model archive. Includes LibTorch and throws its exceptions.
//
// Of an archive that is open (ArchiveFile::is_open), large records that are stored without compression are parts of a private
// mapping of the file: they are not copied into the heap, their pages are in memory only while something uses them, and writing
// to them does not change the file. Their pages are given back when the last tensor that uses a record is destroyed. An archive that is named
// by a path may be overwritten while it is used; its records are copied.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <c10/core/Allocator.h>
#include <caffe2/serialize/inline_container.h>

#include "learning/archive_file.h"

namespace hansa::learning {

class ArchiveRecords {
 public:
  explicit ArchiveRecords(const ArchiveFile& archive);

  struct Record {
    at::DataPtr data;
    std::size_t bytes = 0;
  };
  [[nodiscard]] bool has(const std::string& name) { return reader_->hasRecord(name); }
  [[nodiscard]] Record read(const std::string& name);
  [[nodiscard]] std::uint64_t version() const { return reader_->version(); }
  // The bytes of the records that were read as parts of the mapping.
  [[nodiscard]] std::uint64_t mapped_bytes() const { return mapped_bytes_; }

 private:
  class OpenFile;
  class Mapping;

  std::shared_ptr<OpenFile> file_;  // null: the archive is named by a path
  std::shared_ptr<Mapping> mapping_;  // null: nothing is mapped
  std::unique_ptr<caffe2::serialize::PyTorchStreamReader> reader_;
  std::uint64_t mapped_bytes_ = 0;
};

}  // namespace hansa::learning
