# cmake -DSTYLE=... -DSCRIPT=... -DOUTPUT=... -P embed_assets.cmake: writes the two files as byte arrays.
function(byte_array file name out)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  set(${out} "constexpr unsigned char ${name}[] = {\n${bytes}0};\n" PARENT_SCOPE)
endfunction()
byte_array(${STYLE} style_bytes style)
byte_array(${SCRIPT} script_bytes script)
file(WRITE ${OUTPUT} "#include \"report/assets.hpp\"\n\nnamespace unveil {\nnamespace {\n\n${style}\n${script}\n}  // namespace\n
std::string_view report_style() { return {reinterpret_cast<const char*>(style_bytes), sizeof style_bytes - 1}; }
std::string_view report_script() { return {reinterpret_cast<const char*>(script_bytes), sizeof script_bytes - 1}; }\n
}  // namespace unveil\n")
