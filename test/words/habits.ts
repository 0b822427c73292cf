/** A way of writing that people who do not read English every day stumble over. */
export interface Habit {
  readonly name: string;
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly instead: string;
  /** Phrases that are the usual ones all the same, each with the reason. */
  readonly allowed?: readonly (readonly [phrase: RegExp, reason: string])[];
}

/** All habits. Each text of the project is held to them: code with its comments and messages, pages, and scripts. */
export const HABITS: readonly Habit[] = [
  {
    name: 'behind for after',
    pattern: /\bbehind\b/gi,
    instead: 'after, or what stands there',
    allowed: [
      [
        /\bbehind (?:a|the|your|some|one|each|it) (?:\w+ )?(?:proxy|proxies|gateway|load balancer|front door)/gi,
        'the usual word for a server that is reached through another one',
      ],
      [/\bbehind (?:an|the) endpoint/gi, 'as AWS and Databricks write it'],
    ],
  },
  {
    name: 'is no for is not a',
    pattern:
      /(?<!\bthere )\b(?:is|are|was|were|be) no\b(?! (?:longer|shorter|larger|smaller|higher|lower|more|less|fewer)\b)/gi,
    instead: 'is not a, are not',
  },
  {
    name: 'tell and told',
    pattern: /\b(?:tell|tells|told|telling)\b/gi,
    instead: 'say, report, call, show; distinguish for tell apart',
  },
  {
    name: 'whoever and whatever',
    pattern: /\b(?:whoever|whomever|whatever)\b/gi,
    instead: 'a name for who or what it is: the caller, any body',
  },
  {
    name: 'who as a subject',
    pattern: /(?:^|[.:;] |\* )Who (?:has|is|asks|sends|runs|wants|needs|reads|calls)\b(?![^.\n]*\?)/gm,
    instead: 'people who, the caller, clients that',
  },
  {
    name: 'go on',
    pattern: /\b(?:goes|go|gone|went|going) on\b/gi,
    instead: 'continue, resume, keep answering',
    allowed: [[/\bgoes on (?:axis|the axis)/gi, 'it is placed there']],
  },
  { name: 'under way', pattern: /\bunder ?way\b/gi, instead: 'in progress, running' },
  {
    name: 'is none',
    pattern: /\b(?:is|are|was|were) none\b/gi,
    instead: 'is not one, there is none',
    allowed: [
      [/\bis None\b/g, 'an expression of Python'],
      [/\bthere (?:is|are|was|were) none\b/gi, 'the usual way to say it'],
    ],
  },
  { name: 'for ever and of old', pattern: /\b(?:for ever|of old)\b/gi, instead: 'forever, before, legacy' },
  { name: 'but for', pattern: /\bbut for\b/gi, instead: 'except' },
  { name: 'hand on', pattern: /\bhand(?:ed|s|ing)? on\b/gi, instead: 'pass' },
  { name: 'anew', pattern: /\banew\b/gi, instead: 'again, new' },
  { name: 'in the place of', pattern: /\bin the place of\b/gi, instead: 'instead of, where … is expected' },
  {
    name: 'break off',
    pattern: /\b(?:broke|breaks|break|broken|breaking) off\b/gi,
    instead: 'stop, interrupt, close the connection',
  },
  { name: 'so many', pattern: /\bso many\b/gi, instead: 'this many, a number' },
  {
    name: 'known are and the most are',
    pattern: /\b(?:known|the most) (?:is|are)\b/gi,
    instead: 'the known … are, the limit is, at most',
  },
  {
    name: 'model of tables, texts, vectors',
    pattern: /\bmodels? of (?:tables?|texts?|vectors?|images?|pictures?)\b/gi,
    instead: 'tabular, text, embedding or image model',
  },
  {
    name: 'leave it out',
    pattern: /\b(?:leaves?|left|leaving) (?:it|them) out\b/gi,
    instead: 'omit, exclude',
  },
];

/** One place where a text has a habit. */
export interface Found {
  readonly habit: string;
  readonly line: number;
  readonly text: string;
  readonly instead: string;
}

/** The places of a text that have a habit and no reason for it. */
export function findHabits(text: string): readonly Found[] {
  return HABITS.flatMap(({ name, pattern, instead, allowed = [] }) => {
    // Line breaks of comments can be inside of an allowed phrase.
    const masked = allowed.reduce(
      (rest, [phrase]) => rest.replaceAll(phrase, (found) => ' '.repeat(found.length)),
      text,
    );
    return [...masked.matchAll(pattern)].map(({ index, 0: found }) => ({
      habit: name,
      line: text.slice(0, index).split('\n').length,
      text: found,
      instead,
    }));
  });
}
