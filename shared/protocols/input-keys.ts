/** The members of a predict request, of which it has one. */
export const INPUT_KEYS = ['features', 'instances', 'image', 'text', 'inputs'] as const;
