# cmake -DFILE=... -DFUNCTION=... -DHEADER=... -DOUTPUT=... -P embed_file.cmake: writes a file as the answer of unveil::FUNCTION().
file(READ ${FILE} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace unveil {\nnamespace {\n\nconstexpr unsigned char bytes[] = {\n${bytes}0};\n\n}  // namespace\n
std::string_view ${FUNCTION}() { return {reinterpret_cast<const char*>(bytes), sizeof bytes - 1}; }\n\n}  // namespace unveil\n")
