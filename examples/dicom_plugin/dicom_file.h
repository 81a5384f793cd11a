// One DICOM file as pixels.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "options.h"

namespace hansa_dicom {

// Registers the decoders of JPEG, JPEG-LS and RLE, and turns DCMTK's log off: it quotes values of files. Once.
void prepare_dcmtk();

// Reads a file of one monochrome frame: decompressed, rescaled (Rescale Slope and Intercept, or the Modality LUT),
// windowed, MONOCHROME1 inverted, resized to options.size x options.size. out gets options.bytes_a_pixel bytes for each
// pixel; the largest number is white. Throws Failure, which names the file and quotes no text of it, only numbers of bits
// and frames.
void decode(const std::string& path, const Options& options, std::vector<std::byte>& out);

}  // namespace hansa_dicom
