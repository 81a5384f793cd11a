#include "learning/internal/source_positions.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/serialization/pickle.h>

namespace hansa::learning {
namespace {

using torch::jit::Source;
using torch::jit::SourceRange;
// optional<SourceRange>, whose name depends on the version of LibTorch.
using Origin = decltype(std::declval<const SourceRange&>().findSourceRangeThatGenerated());

class SourcePositions final : public torch::jit::SourceRangeUnpickler {
 public:
  // The record is a tuple of (offset in the code, position, tag), sorted by offset. Since PyTorch 1.13 it comes after a
  // name of the format and a table of texts.
  explicit SourcePositions(const c10::IValue& record) {
    const auto& parts = record.toTupleRef().elements();
    const bool has_texts = !parts.empty() && parts.at(0).isString();
    if (has_texts)
      for (const c10::IValue& text : parts.at(1).toTupleRef().elements())
        texts_.push_back(text.toStringRef());
    const c10::IValue& entries = has_texts ? parts.at(2) : record;
    for (const c10::IValue& entry : entries.toTupleRef().elements()) {
      const auto& fields = entry.toTupleRef().elements();
      const auto& position = fields.at(1).toTupleRef().elements();
      const auto source = source_of(position.at(0));
      const std::size_t size = source->size();
      const auto offset_in = [&](const c10::IValue& value) {
        return std::min(size, static_cast<std::size_t>(std::max<std::int64_t>(value.toInt(), 0)));
      };
      const std::size_t begin = offset_in(position.at(1));
      positions_.insert_or_assign(static_cast<std::size_t>(fields.at(0).toInt()),
                                  SourceRange(source, begin, std::max(begin, offset_in(position.at(2)))));
    }
  }

  Origin findSourceRangeThatGenerated(const SourceRange& range) override {
    const auto next = positions_.upper_bound(range.start());
    return next == positions_.begin() ? Origin() : Origin(std::prev(next)->second);
  }

 private:
  // (text, file, first line). The texts are a string or, with a table, the indices of its pieces; so is the file.
  std::shared_ptr<Source> source_of(const c10::IValue& value) {
    const auto& fields = value.toTupleRef().elements();
    auto& known = sources_[&fields];
    if (known) return known;
    std::string text, file;
    if (texts_.empty()) {
      text = fields.at(0).toStringRef();
      if (!fields.at(1).isNone()) file = fields.at(1).toStringRef();
    } else {
      for (const std::int64_t piece : fields.at(0).toIntVector())
        text += texts_.at(static_cast<std::size_t>(piece));
      file = texts_.at(static_cast<std::size_t>(fields.at(1).toInt()));
    }
    const auto first_line = static_cast<std::size_t>(std::max<std::int64_t>(fields.at(2).toInt(), 0));
    known = std::make_shared<Source>(text, file, first_line);
    return known;
  }

  std::vector<std::string> texts_;
  std::map<const void*, std::shared_ptr<Source>> sources_;  // by the fields of their tuple
  std::map<std::size_t, SourceRange> positions_;
};

}  // namespace

std::shared_ptr<torch::jit::SourceRangeUnpickler> read_source_positions(const char* data, std::size_t size) {
  return std::make_shared<SourcePositions>(torch::jit::unpickle(data, size));
}

}  // namespace hansa::learning
