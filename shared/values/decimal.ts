/** No digit fits two parts of the pattern, so long texts of digits are matched in linear time. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Whether a text is a number in digits, without white space around it; `Number` accepts much more, such as "0x10". */
export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}
