import { textOf } from '../dialects/loose-json.ts';

/** What can be submitted, and the model that it is priced and routed as; those that are `null` depend on what the request says. */
export const MIDJOURNEY_ACTIONS = {
  imagine: 'mj_imagine',
  describe: 'mj_describe',
  blend: 'mj_blend',
  shorten: 'mj_shorten',
  modal: 'mj_modal',
  change: null,
  'simple-change': null,
  action: null,
} as const;
export type MidjourneyAction = keyof typeof MIDJOURNEY_ACTIONS;

const CHANGES: ReadonlyMap<string, string> = new Map([
  ['UPSCALE', 'mj_upscale'],
  ['VARIATION', 'mj_variation'],
  ['REROLL', 'mj_reroll'],
]);

const SIMPLE_CHANGES: ReadonlyMap<string, string> = new Map([
  ['U', 'mj_upscale'],
  ['V', 'mj_variation'],
  ['R', 'mj_reroll'],
]);

/** Buttons of Midjourney's, by what their ids say; the first that fits. */
const BUTTONS: readonly (readonly [RegExp, string])[] = [
  [/::high_variation::/, 'mj_high_variation'],
  [/::low_variation::/, 'mj_low_variation'],
  [/::variation::/, 'mj_variation'],
  [/::upsample/, 'mj_upscale'],
  [/::reroll::/, 'mj_reroll'],
  [/::pan_/, 'mj_pan'],
  [/^MJ::Inpaint::/, 'mj_inpaint'],
  [/^MJ::CustomZoom::/, 'mj_custom_zoom'],
  [/^MJ::Outpaint::/, 'mj_zoom'],
  [/^MJ::Job::PromptAnalyzer::/, 'mj_shorten'],
];

/** `<task> U1`, with what is to be done in the second word. */
const SIMPLE = /^(\S{1,200})\s+([UVR])([1-4])?$/i;

/** The model of a request; `null`: it says nothing that is known. */
export const midjourneyModel = (action: MidjourneyAction, request: Readonly<Record<string, unknown>>): string | null => {
  switch (action) {
    case 'change':
      return CHANGES.get(textOf(request['action']).toUpperCase()) ?? null;
    case 'simple-change':
      return SIMPLE_CHANGES.get((SIMPLE.exec(textOf(request['content']))?.[2] ?? '').toUpperCase()) ?? null;
    case 'action': {
      const button = textOf(request['customId']);
      return BUTTONS.find(([pattern]) => pattern.test(button))?.[1] ?? null;
    }
    default:
      return MIDJOURNEY_ACTIONS[action];
  }
};

/** The task that a request is about; `null`: it is about none. */
export const midjourneySource = (action: MidjourneyAction, request: Readonly<Record<string, unknown>>): string | null => {
  switch (action) {
    case 'change':
    case 'action':
    case 'modal':
      return textOf(request['taskId']);
    case 'simple-change':
      return SIMPLE.exec(textOf(request['content']))?.[1] ?? '';
    default:
      return null;
  }
};

/** The same request, about the task by its upstream's name. */
export const aboutUpstream = (
  action: MidjourneyAction,
  request: Readonly<Record<string, unknown>>,
  upstreamId: string,
): Readonly<Record<string, unknown>> =>
  action === 'simple-change'
    ? { ...request, content: textOf(request['content']).replace(/^\S+/, upstreamId) }
    : { ...request, taskId: upstreamId };
