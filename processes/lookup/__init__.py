"""Finding records by what people type: two Chinese characters, pinyin, its initials, the last digits of a number."""
