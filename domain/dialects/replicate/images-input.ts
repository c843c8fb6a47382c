import type { Refusal } from '../../../schemas/errors.ts';
import type { ImagesRequest } from '../../../schemas/openai/images-request.ts';
import { unsayable } from '../chat/bounds.ts';

type Json = Readonly<Record<string, unknown>>;

/** The shapes that Replicate’s models of pictures know. */
const SHAPES = ['1:1', '16:9', '9:16', '3:2', '2:3', '4:3', '3:4', '4:5', '5:4', '21:9', '9:21'] as const;

const FORMATS: Readonly<Record<string, string>> = { png: 'png', jpeg: 'jpg', webp: 'webp' };

const ratioOf = (shape: string): number => {
  const [width = 1, height = 1] = shape.split(':').map(Number);
  return width / height;
};

/** The shape that is nearest to a size, `null` where there is none to be near to. */
const shapeOf = (size: unknown): string | null => {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(typeof size === 'string' ? size : '') ?? [];
  if (width === undefined || height === undefined || Number(width) === 0 || Number(height) === 0) return null;
  const off = (shape: string): number => Math.abs(Math.log(ratioOf(shape) / (Number(width) / Number(height))));
  return SHAPES.reduce((best: string, shape) => (off(shape) < off(best) ? shape : best), SHAPES[0]);
};

/**
 * A request for pictures as the input of a model on Replicate. A size becomes the nearest shape. Left out: `quality`, `style`, `background`, `moderation`, `user`.
 * Refused by name: streams, and pictures in base64, which Replicate does not give.
 */
export const replicateImagesInput = (request: ImagesRequest): Json | Refusal => {
  if (request.stream === true) return unsayable('this upstream does not stream pictures.', 'stream');
  if (request['response_format'] === 'b64_json') return unsayable('this upstream gives addresses of pictures.', 'response_format');
  const shape = shapeOf(request.size);
  const format = FORMATS[String(request['output_format'])];
  const { n, seed } = request as Json;
  return {
    prompt: request.prompt,
    ...(typeof n === 'number' && n > 1 ? { num_outputs: n } : {}),
    ...(shape === null ? {} : { aspect_ratio: shape }),
    ...(format === undefined ? {} : { output_format: format }),
    ...(typeof seed === 'number' ? { seed } : {}),
  };
};
