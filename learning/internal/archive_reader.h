// Reads a TorchScript archive without executing any of its code. Includes LibTorch.
//
// torch::jit::load() executes code while it loads: the method __setstate__ of the archive's classes, and that of the
// C++ classes under torch.classes. It also accepts FlatBuffers and the format of PyTorch 1.3, whose code comes from
// other places. This reader accepts only what torch.jit.save() writes, compiles its code, and checks it (code_check.h)
// before it returns the module. Compiling evaluates expressions of constant numbers and texts, and no tensors.
#pragma once
#include <string>
#include <unordered_map>

#include <torch/script.h>

#include "common/error.h"
#include "learning/archive_file.h"

namespace hansa::learning {

struct ReadArchive {
  torch::jit::Module module;
  // The name of the record that the memory of a tensor of the module was read from: "data/0". The key is the address of its
  // first byte, which is valid until a tensor is given other memory.
  std::unordered_map<const void*, std::string> records;
};

// Fails (model) if the code is refused. Throws the exceptions of LibTorch if it is no archive.
[[nodiscard]] Result<ReadArchive> read_archive(const ArchiveFile& archive);

}  // namespace hansa::learning
