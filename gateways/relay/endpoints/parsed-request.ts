import type { ParsedChat } from './chat.ts';
import type { ParsedCompletion } from './completions.ts';
import type { ParsedEmbeddings } from './embeddings.ts';
import type { ParsedImageForm } from './image-form.ts';
import type { ParsedImages } from './images.ts';
import type { ParsedModeration } from './moderations.ts';
import type { ParsedPieceTask } from './piece-tasks.ts';
import type { ParsedRerank } from './rerank.ts';
import type { ParsedSound } from './sound-form.ts';
import type { ParsedSpeech } from './speech.ts';
import type { ParsedVideo } from './videos.ts';

/** A request as raw bytes, as a parsed value, and where in the bytes the members are that we may change. */
export type ParsedRequest =
  | ParsedChat
  | ParsedEmbeddings
  | ParsedCompletion
  | ParsedModeration
  | ParsedRerank
  | ParsedImages
  | ParsedImageForm<'image_edits'>
  | ParsedImageForm<'image_variations'>
  | ParsedSpeech
  | ParsedSound<'transcriptions'>
  | ParsedSound<'translations'>
  | ParsedVideo
  | ParsedPieceTask<'music'>
  | ParsedPieceTask<'midjourney'>;
