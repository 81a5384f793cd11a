// data.options of the kind "dicom": "size=64; classes=normal,pneumonia; window=40,400".
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace hansa_dicom {

// what() is one line for the device's log. It contains no text of a DICOM file.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Window : std::uint8_t {
  of_file,  // the first pair of Window Center and Window Width
  given,
  min_max,  // from the smallest to the largest value of each image
};
enum class Fit : std::uint8_t {
  pad,  // the whole image, with zeros on two sides
  crop,  // the square in the middle
};
enum class BurnedIn : std::uint8_t { refuse, accept };

struct Options {
  std::uint32_t size = 0;
  std::vector<std::string> classes;
  Window window = Window::of_file;
  double centre = 0;
  double width = 0;  // at least 1
  Fit fit = Fit::pad;
  std::uint32_t bytes_a_pixel = 2;
  std::string column = "file";  // of the CSV file, with the paths
  BurnedIn burned_in = BurnedIn::refuse;
};

// Throws Failure, which names the option.
Options read_options(std::string_view text);

std::string_view trimmed(std::string_view text);

}  // namespace hansa_dicom
