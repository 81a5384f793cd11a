#include "learning/data/kinds/tokens/text_parts.h"

#include <algorithm>

namespace hansa::learning::kinds {
namespace {

// Where to cut a text of more than part_bytes_max bytes without a newline in the first part_bytes_max.
std::size_t cut_of(std::string_view text) {
  const std::string_view part = text.substr(0, TextParts::part_bytes_max);
  if (const std::size_t space = part.find_last_of(' '); space != std::string_view::npos) return space + 1;
  constexpr std::size_t character_bytes_max = 4;
  for (std::size_t cut = part.size(); cut > part.size() - character_bytes_max; --cut)
    if ((static_cast<unsigned char>(text[cut]) & 0xC0) != 0x80) return cut;
  return part.size();  // no UTF-8
}

}  // namespace

void TextParts::add(std::string_view piece) {
  text_.erase(0, begin_);
  begin_ = 0;
  text_ += piece;
}

std::string_view TextParts::next() {
  const std::string_view rest = std::string_view(text_).substr(begin_);
  const std::size_t newline = rest.substr(0, part_bytes_max).find('\n');
  std::size_t size = 0;
  if (newline != std::string_view::npos) size = newline + 1;
  else if (rest.size() > part_bytes_max) size = cut_of(rest);
  else if (is_complete_) size = rest.size();
  begin_ += size;
  return rest.substr(0, size);
}

}  // namespace hansa::learning::kinds
