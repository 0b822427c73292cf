/** No digit fits two of its parts: long texts of digits are told in linear time. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Whether a text is a number in digits, without white space around it; `Number` takes much more, such as "0x10". */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}
