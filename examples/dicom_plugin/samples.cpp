// Makes the DICOM files of this example:
//
//   dicom-samples site 1|2|3 FOLDER COUNT SEED   COUNT images for each of the classes "dark" and "bright": a blob that is
//                                                darker or brighter than its noisy background. Sites 1 and 2 get a folder
//                                                for each class, site 3 gets images.csv. Each site stores the same
//                                                kind of image in another form.
//   dicom-samples cases FOLDER                   one image with four quarters, stored in many forms, and files that
//                                                are refused
//
// All values are made up. Each file has a patient's name, which the example then looks for.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrleerg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djencode.h>
#include <dcmtk/dcmjpls/djencode.h>

namespace {

namespace fs = std::filesystem;

constexpr const char* patient_name = "Neversend^Patient";

void require(const OFCondition& condition) {
  if (condition.bad()) throw std::runtime_error(condition.text());
}

// An image as it is displayed, and how it is stored.
struct Picture {
  std::uint16_t columns = 0;
  std::uint16_t rows = 0;
  std::vector<int> values;
};
struct Form {
  bool inverted = false;  // MONOCHROME1
  double slope = 1;
  int intercept = 0;
  std::uint16_t bits_stored = 12;
  bool is_signed = false;
  E_TransferSyntax syntax = EXS_LittleEndianExplicit;
  const char* centre = nullptr;
  const char* width = nullptr;
  int inverted_at = 0;  // MONOCHROME1: a value v is stored as inverted_at - v
};
using Change = std::function<void(DcmDataset&)>;

void put(DcmDataset& data, const DcmTagKey& tag, const std::string& text) {
  require(data.putAndInsertString(tag, text.c_str()));
}
void put_number(DcmDataset& data, const DcmTagKey& tag, std::uint16_t number) {
  require(data.putAndInsertUint16(tag, number));
}

void put_pixels(DcmDataset& data, const Picture& picture, const Form& form) {
  const bool bytes = form.bits_stored <= 8;
  std::vector<Uint16> stored;
  std::vector<Uint8> stored_bytes;
  const unsigned mask = (1U << form.bits_stored) - 1;
  for (const int value : picture.values) {
    const int shown = form.inverted ? form.inverted_at - value : value;
    const auto raw = static_cast<unsigned>(std::lround((shown - form.intercept) / form.slope));
    // A negative value is stored with its sign in all 16 bits.
    stored.push_back(static_cast<Uint16>(form.is_signed ? raw : raw & mask));
    stored_bytes.push_back(static_cast<Uint8>(raw & mask));
  }
  if (bytes) require(data.putAndInsertUint8Array(DCM_PixelData, stored_bytes.data(), stored_bytes.size()));
  else require(data.putAndInsertUint16Array(DCM_PixelData, stored.data(), stored.size()));
}

bool is_compressed(E_TransferSyntax syntax) {
  return syntax == EXS_RLELossless || syntax == EXS_JPEGProcess14SV1 || syntax == EXS_JPEGLSLossless ||
         syntax == EXS_JPEG2000LosslessOnly;
}

void save(const fs::path& path, const Picture& picture, const Form& form, const Change& change = {}) {
  DcmFileFormat file;
  DcmDataset& data = *file.getDataset();
  char uid[100];
  put(data, DCM_SOPClassUID, UID_SecondaryCaptureImageStorage);
  put(data, DCM_SOPInstanceUID, dcmGenerateUniqueIdentifier(uid));
  put(data, DCM_PatientName, patient_name);
  put(data, DCM_PatientID, "4711-Neversend");
  put(data, DCM_Modality, "OT");
  put_number(data, DCM_SamplesPerPixel, 1);
  put(data, DCM_PhotometricInterpretation, form.inverted ? "MONOCHROME1" : "MONOCHROME2");
  put_number(data, DCM_Rows, picture.rows);
  put_number(data, DCM_Columns, picture.columns);
  put_number(data, DCM_BitsAllocated, form.bits_stored <= 8 ? 8 : 16);
  put_number(data, DCM_BitsStored, form.bits_stored);
  put_number(data, DCM_HighBit, static_cast<std::uint16_t>(form.bits_stored - 1));
  put_number(data, DCM_PixelRepresentation, form.is_signed ? 1 : 0);
  char slope[32];
  std::snprintf(slope, sizeof(slope), "%g", form.slope);
  put(data, DCM_RescaleSlope, slope);
  put(data, DCM_RescaleIntercept, std::to_string(form.intercept));
  if (form.centre != nullptr) put(data, DCM_WindowCenter, form.centre);
  if (form.width != nullptr) put(data, DCM_WindowWidth, form.width);
  put_pixels(data, picture, form);
  if (change) change(data);
  if (is_compressed(form.syntax)) {
    require(data.chooseRepresentation(form.syntax, nullptr));
    if (!data.canWriteXfer(form.syntax)) throw std::runtime_error(path.string() + ": cannot be compressed");
    data.removeAllButCurrentRepresentations();
  }
  require(file.saveFile(path.c_str(), form.syntax));
}

// --- the sites

// -1000 to 1000; the window that the files name is exactly that.
Picture draw_blob(bool bright, std::mt19937& random) {
  Picture out{96, 80, {}};
  std::uniform_real_distribution<double> x(20, 76);
  std::uniform_real_distribution<double> y(20, 60);
  std::uniform_real_distribution<double> radius(8, 14);
  std::normal_distribution<double> noise(0, 120);
  const double centre_x = x(random);
  const double centre_y = y(random);
  const double r = radius(random);
  for (int row = 0; row < out.rows; ++row)
    for (int column = 0; column < out.columns; ++column) {
      const double distance = std::hypot(column - centre_x, row - centre_y) / r;
      const double value = noise(random) + (bright ? 700 : -700) * std::exp(-distance * distance);
      out.values.push_back(static_cast<int>(std::lround(std::fmin(std::fmax(value, -1000), 1000))));
    }
  return out;
}

Form form_of_site(int site, int image) {
  Form out;
  out.centre = "0";
  out.width = "2000";
  if (site == 1) {
    out.slope = 0.5;
    out.intercept = -1024;
  } else if (site == 2) {
    out.inverted = true;
    out.intercept = -2048;
  } else {
    constexpr E_TransferSyntax syntaxes[] = {EXS_RLELossless, EXS_JPEGProcess14SV1, EXS_JPEGLSLossless,
                                             EXS_LittleEndianImplicit};
    out.syntax = syntaxes[image % 4];
    out.inverted = image % 8 >= 4;
    out.intercept = -1024;
  }
  return out;
}

void make_site(int site, const fs::path& folder, int count, unsigned seed) {
  std::mt19937 random(seed);
  fs::create_directories(folder / "images");
  std::ofstream csv;
  if (site == 3) {
    csv.open(folder / "images.csv");
    csv << "file,label\n";
  }
  for (int i = 0; i < count; ++i)
    for (const char* label : {"dark", "bright"}) {
      const std::string name = "IM" + std::to_string(i);
      fs::path path = folder / "images" / label / name;
      if (site == 3) {
        path = folder / "images" / (name + label[0]);
        csv << "images/" << path.filename().string() << "," << label << "\n";
      }
      fs::create_directories(path.parent_path());
      save(path, draw_blob(std::string(label) == "bright", random), form_of_site(site, i));
    }
}

// --- the cases

Picture quarters(std::uint16_t columns, std::uint16_t rows, const std::vector<int>& values) {
  Picture out{columns, rows, {}};
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column)
      out.values.push_back(values[(row >= rows / 2 ? 2U : 0U) + (column >= columns / 2 ? 1U : 0U)]);
  return out;
}

// The values are in codestreams that DCMTK cannot read: junk in place of JPEG 2000 or of the end of a JPEG image.
void put_junk(DcmDataset& data, E_TransferSyntax syntax) {
  auto* sequence = new DcmPixelSequence(DCM_PixelSequenceTag);
  require(sequence->insert(new DcmPixelItem(DCM_PixelItemTag)));
  auto* item = new DcmPixelItem(DCM_PixelItemTag);
  std::vector<Uint8> junk(512, 0x5A);
  require(item->putUint8Array(junk.data(), static_cast<unsigned long>(junk.size())));
  require(sequence->insert(item));
  auto* pixels = new DcmPixelData(DCM_PixelData);
  pixels->putOriginalRepresentation(syntax, nullptr, sequence);
  require(data.insert(pixels, true));
}

void cut_file(const fs::path& from, const fs::path& to, double part) {
  fs::copy_file(from, to);
  fs::resize_file(to, static_cast<std::uintmax_t>(static_cast<double>(fs::file_size(to)) * part));
}

void make_cases(const fs::path& folder) {
  fs::create_directories(folder);
  const std::vector<int> values{0, 1000, 3000, 4095};
  const Picture picture = quarters(64, 64, values);
  Form reference;
  reference.centre = "2048";
  reference.width = "4096";
  const auto in_syntax = [&](E_TransferSyntax syntax) {
    Form out = reference;
    out.syntax = syntax;
    return out;
  };
  save(folder / "reference", picture, reference);
  save(folder / "implicit", picture, in_syntax(EXS_LittleEndianImplicit));
  save(folder / "big-endian", picture, in_syntax(EXS_BigEndianExplicit));
  save(folder / "deflated", picture, in_syntax(EXS_DeflatedLittleEndianExplicit));
  save(folder / "rle", picture, in_syntax(EXS_RLELossless));
  save(folder / "jpeg", picture, in_syntax(EXS_JPEGProcess14SV1));
  save(folder / "jpeg-ls", picture, in_syntax(EXS_JPEGLSLossless));

  Form inverted = reference;
  inverted.inverted = true;
  inverted.inverted_at = 4095;
  save(folder / "inverted", picture, inverted);
  Form rescaled = reference;
  rescaled.slope = 0.5;
  rescaled.intercept = -1000;
  rescaled.bits_stored = 14;
  save(folder / "rescaled", picture, rescaled);
  Form with_sign = reference;
  with_sign.is_signed = true;
  with_sign.intercept = 2048;
  save(folder / "signed", picture, with_sign);
  Form eight = reference;
  eight.bits_stored = 8;
  eight.centre = "128";
  eight.width = "256";
  save(folder / "eight-bits", quarters(64, 64, {0, 62, 187, 255}), eight);
  save(folder / "wide", quarters(64, 32, values), reference);
  save(folder / "wide-high-pixels", quarters(64, 32, values), reference,
       [](DcmDataset& data) { put(data, DCM_PixelSpacing, "2\\1"); });
  save(folder / "sigmoid", picture, reference,
       [](DcmDataset& data) { put(data, DCM_VOILUTFunction, "SIGMOID"); });
  save(folder / "large", quarters(512, 512, values), reference);
  save(folder / "small", quarters(16, 16, values), reference);

  cut_file(folder / "large", folder / "truncated", 0.6);
  cut_file(folder / "jpeg", folder / "truncated-jpeg", 0.8);
  cut_file(folder / "reference", folder / "truncated-header", 0.02);
  save(folder / "short", picture, reference, [](DcmDataset& data) { put_number(data, DCM_Rows, 65); });
  save(folder / "frames", picture, reference, [](DcmDataset& data) {
    put(data, DCM_NumberOfFrames, "2");
    put_number(data, DCM_Rows, 32);
  });
  save(folder / "colour", quarters(64, 64, {0, 62, 187, 255}), eight, [](DcmDataset& data) {
    put_number(data, DCM_SamplesPerPixel, 3);
    put(data, DCM_PhotometricInterpretation, "RGB");
  });
  save(folder / "palette", picture, reference,
       [](DcmDataset& data) { put(data, DCM_PhotometricInterpretation, "PALETTE COLOR"); });
  save(folder / "enormous", picture, reference, [](DcmDataset& data) {
    put_number(data, DCM_Rows, 65535);
    put_number(data, DCM_Columns, 65535);
  });
  save(folder / "jpeg-2000", picture, in_syntax(EXS_JPEG2000LosslessOnly),
       [](DcmDataset& data) { put_junk(data, EXS_JPEG2000LosslessOnly); });
  save(folder / "damaged-jpeg", picture, in_syntax(EXS_JPEGProcess14SV1),
       [](DcmDataset& data) { put_junk(data, EXS_JPEGProcess14SV1); });
  save(folder / "annotated", picture, reference,
       [](DcmDataset& data) { put(data, DCM_BurnedInAnnotation, "YES"); });
  Form no_window = reference;
  no_window.centre = no_window.width = nullptr;
  save(folder / "no-window", picture, no_window);
  std::ofstream(folder / "text")
      << "Neversend: this is no DICOM file, but a text of more than 132 bytes, so that a "
         "reader finds no mark at byte 128 of it, and stops there.\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  DcmRLEEncoderRegistration::registerCodecs();
  DJEncoderRegistration::registerCodecs();
  DJLSEncoderRegistration::registerCodecs();
  try {
    if (arguments.size() == 5 && arguments[0] == "site")
      make_site(std::stoi(arguments[1]), arguments[2], std::stoi(arguments[3]),
                static_cast<unsigned>(std::stoul(arguments[4])));
    else if (arguments.size() == 2 && arguments[0] == "cases") make_cases(arguments[1]);
    else
      throw std::runtime_error(
          "usage: dicom-samples site 1|2|3 FOLDER COUNT SEED, or dicom-samples cases FOLDER");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dicom-samples: %s\n", error.what());
    return 1;
  }
  return 0;
}
